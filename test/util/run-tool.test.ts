import { expect, test } from 'vitest';
import { runTool, ToolError } from '../../src/util/run-tool.js';

const node = (script: string, signal?: AbortSignal) => runTool(process.execPath, ['-e', script], { signal });

test('gives what the program printed', async () => {
  expect(await node('console.error("news"); console.log("é".repeat(200000))')).toBe(
    `${'é'.repeat(200_000)}\n`,
  );
});

test.each([
  ['console.error("news\\nerror: too small\\nUse more."); process.exit(3)', 'error: too small'],
  ['throw new RangeError("too small")', 'RangeError: too small'],
  ['console.error("Traceback\\nMemoryError"); process.exit(1)', 'MemoryError'],
  ['console.error("ERROR: no match\\n[notice] A new pip"); process.exit(1)', 'ERROR: no match'],
  ['process.exit(4)', 'exit code 4'],
  ['process.kill(process.pid, "SIGKILL")', 'ended by SIGKILL'],
])('says in one line why it failed: %s', async (script, lastComplaint) => {
  await expect(node(script)).rejects.toMatchObject({ name: 'ToolError', lastComplaint });
});

test('the first complaint of a compiler is the one that matters', async () => {
  const script = 'console.error("a.cc:1: error: one\\na.cc:9: error: two\\n2 errors"); process.exit(1)';
  await expect(node(script)).rejects.toMatchObject({ firstComplaint: 'a.cc:1: error: one' });
  const retried = 'console.error("WARNING: Retrying: NewConnectionError\\nERROR: none"); process.exit(1)';
  await expect(node(retried)).rejects.toMatchObject({ firstComplaint: 'ERROR: none' });
});

test('says that a program is not there', async () => {
  const failure = runTool('/nonexistent/python', []);
  await expect(failure).rejects.toBeInstanceOf(ToolError);
  await expect(failure).rejects.toThrow('/nonexistent/python cannot be started (ENOENT)');
});

test('an aborted program is waited for, and the reason of the signal is thrown', async () => {
  const abort = new AbortController();
  const script = 'process.on("SIGTERM", () => process.exit(0)); setInterval(() => {}, 1e9)';
  const run = node(script, abort.signal);
  abort.abort(new Error('Ctrl-C'));
  await expect(run).rejects.toThrow('Ctrl-C');
  await expect(node('', abort.signal)).rejects.toThrow('Ctrl-C');
});
