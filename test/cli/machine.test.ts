import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/util/package.js';
import { run, startProcess, temporaryFolder } from '../program.js';

/** What the program says on a machine with a limit, and its exit code. */
async function limited(limit: string, args: readonly string[]): Promise<{ code: number; stderr: string }> {
  const command = [
    '-c',
    `ulimit ${limit} && exec "$@"`,
    'bash',
    join(packageRoot, 'bin', 'densenet'),
    ...args,
  ];
  const cwd = await temporaryFolder();
  const ended = promisify(execFile)('bash', command, { cwd });
  return ended.then(
    ({ stderr }) => ({ code: 0, stderr }),
    ({ code, stderr }) => ({ code, stderr }),
  );
}

test.each(['24', '32', '64'])('with %s open files it works, or says so in two lines', async (files) => {
  const { code, stderr } = await limited(`-n ${files}`, ['table', '2']);
  if (code === 0) return;
  expect(stderr).toMatch(/^error: [^\n]*\(EMFILE\)\n[^\n]*ulimit -n[^\n]*\n$/);
  expect(code).toBe(3);
});

test('a current folder that no longer exists is said in two lines', async () => {
  const program = join(packageRoot, 'bin', 'densenet');
  const script = `mkdir gone && cd gone && rmdir ../gone && "${program}" describe quickstart`;
  const { code, stderr } = await startProcess(await temporaryFolder(), 'bash', ['-c', script]).ended;
  expect(stderr).toMatch(/error: the current folder no longer exists, or may not be read\n[^\n]+\n$/);
  expect(code).toBe(2);
});

test('a closed standard output is refused: what is printed would be lost', async () => {
  const program = join(packageRoot, 'bin', 'densenet');
  const script = `"${program}" describe quickstart >&-`;
  const { code, stderr } = await startProcess(await temporaryFolder(), 'bash', ['-c', script]).ended;
  expect(stderr).toMatch(/^error: standard output is closed: [^\n]+\n[^\n]+\/dev\/null\.\n$/);
  expect(code).toBe(3);
});

test('too little address space for Node is said before Node aborts; with enough it works', async () => {
  const { code, stderr } = await limited('-v 700000', ['table', '2']);
  expect(stderr).toMatch(/^error: [^\n]*virtual memory is too low \(700000 kB\)\n[^\n]*ulimit -v[^\n]*\n$/);
  expect(code).toBe(4);
  expect(await limited('-v 2000000', ['table', '2'])).toEqual({ code: 0, stderr: '' });
});

test('a network that no memory holds is refused in two lines', async () => {
  const args = ['bench', '--engine=native', '--growth-rate=10000', '--quiet'];
  const { code, stderr } = await run(await temporaryFolder(), args);
  expect(stderr).toMatch(/^error: [^\n]*memory[^\n]*\n[^\n]+\n$/);
  expect(code).toBe(4);
});
