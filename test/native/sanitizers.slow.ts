import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('the C++ tests pass under sanitizers, compiled without warnings', { timeout: 1_800_000 }, async () => {
  const script = fileURLToPath(new URL('run', import.meta.url));
  const { stdout } = await promisify(execFile)(script);
  for (const build of ['native', 'wide']) expect(stdout).toContain(`${build}: all C++ tests passed`);
});
