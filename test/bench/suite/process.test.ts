import { expect, test } from 'vitest';
import { ProcessFailure, runProcess } from '../../../src/bench/suite/process.js';

const node = (script: string) => runProcess(process.execPath, ['-e', script]);

test('gives what the program printed', async () => {
  expect(await node('console.error("news"); console.log("é".repeat(200000))')).toBe(
    `${'é'.repeat(200_000)}\n`,
  );
});

test.each([
  ['console.error("news\\nerror: too small\\nUse more."); process.exit(3)', 'too small'],
  ['throw new RangeError("too small")', 'RangeError: too small'],
  ['console.error("Traceback\\nMemoryError"); process.exit(1)', 'MemoryError'],
  ['process.exit(4)', 'exit code 4'],
  ['process.kill(process.pid, "SIGKILL")', 'ended by SIGKILL'],
])('says in one line why it failed: %s', async (script, reason) => {
  await expect(node(script)).rejects.toMatchObject({ name: 'ProcessFailure', reason });
});

test('says that a program is not there', async () => {
  const failure = runProcess('/nonexistent/python', []);
  await expect(failure).rejects.toBeInstanceOf(ProcessFailure);
  await expect(failure).rejects.toThrow('/nonexistent/python: cannot be started (ENOENT)');
});
