import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { askDriver } from '../../../src/engines/tensorflow/gpu/probe.js';
import { temporaryFolder } from '../../program.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Puts a program named python3 where the next probe looks first. */
async function python3(lines: string): Promise<void> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'python3'), `#!/bin/sh\n${lines}\n`);
  await chmod(join(folder, 'python3'), 0o755);
  vi.stubEnv('PATH', `${folder}:/bin`);
}

test('a driver that ends the process that asks it is not taken for a missing Python', async () => {
  await python3('kill -SEGV $$');
  expect(await askDriver()).toEqual({ failure: 'ended by SIGSEGV' });
});

test('an error of the driver is said in its last line', async () => {
  await python3('echo Traceback >&2\necho "AttributeError: undefined symbol: cuInit" >&2\nexit 1');
  expect(await askDriver()).toEqual({ failure: 'AttributeError: undefined symbol: cuInit' });
});

test('what is not an answer is no report', async () => {
  await python3('echo loading the driver');
  expect(await askDriver()).toMatchObject({ failure: expect.stringContaining('JSON') });
});
