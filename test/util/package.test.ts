import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { gitState, packageRoot } from '../../src/util/package.js';

afterEach(() => vi.unstubAllEnvs());

test('the commit is that of the program, whatever repository the environment names', async () => {
  const state = await gitState();
  expect(state !== undefined).toBe(existsSync(join(packageRoot, '.git')));
  vi.stubEnv('GIT_DIR', '/nowhere');
  expect((await gitState())?.commit).toBe(state?.commit);
});
