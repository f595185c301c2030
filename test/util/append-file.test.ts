import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rmdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AppendFile } from '../../src/util/append-file.js';
import { packageRoot } from '../../src/util/package.js';
import { startProcess, temporaryFolder } from '../program.js';

/** Appends to a file, and returns what was told of failures. */
async function append(path: string, ...contents: string[]): Promise<string[]> {
  const told: string[] = [];
  const file = new AppendFile(path, (problem) => told.push(problem));
  for (const content of contents) {
    file.append(content);
    await file.settled();
  }
  return told;
}

test('it grows in the order of the calls, also while a write is under way', async () => {
  const path = join(await temporaryFolder(), 'log.txt');
  const file = new AppendFile(path, (problem) => expect.unreachable(problem));
  const lines = Array.from({ length: 100 }, (_, index) => `line ${index}\n`);
  for (const line of lines) {
    file.append(line);
    if (line.endsWith('7\n')) await file.settled();
  }
  await file.settled();
  expect(await readFile(path, 'utf8')).toBe(lines.join(''));
});

test.each([
  ['nothing', '', ''],
  ['whole lines', 'one\ntwo\n', 'one\ntwo\n'],
  ['a part of a line', 'one\ntw', 'one\n'],
  ['a part of the first line', 'on', ''],
  ['a long part of a line', `one\n${'x'.repeat(200_000)}`, 'one\n'],
])('behind %s of a process that was killed, it goes on with a line of its own', async (_, left, kept) => {
  const path = join(await temporaryFolder(), 'log.txt');
  await writeFile(path, left);
  expect(await append(path, 'next\n', 'last\n')).toEqual([]);
  expect(await readFile(path, 'utf8')).toBe(`${kept}next\nlast\n`);
});

test('what is not lines is left as it is', async () => {
  const path = join(await temporaryFolder(), 'records');
  await writeFile(path, 'torn');
  const file = new AppendFile(path, (problem) => expect.unreachable(problem), false);
  file.append(Uint8Array.of(1, 10, 2));
  await file.settled();
  expect(await readFile(path, 'latin1')).toBe('torn\x01\n\x02');
});

test('a full disk is told once, in words', async () => {
  const path = join(await temporaryFolder(), 'log.txt');
  await symlink('/dev/full', path);
  expect(await append(path, 'one\n', 'two\n')).toEqual(['no space left on device (ENOSPC)']);
});

test('a folder that was moved away is not made again', async () => {
  const folder = await temporaryFolder();
  expect(await append(join(folder, 'gone', 'log.txt'), 'one\n')).toEqual([expect.stringContaining('ENOENT')]);
  expect(await readdir(folder)).toEqual([]);
});

test('of records that do not fit, nothing is written', async () => {
  const path = join(await temporaryFolder(), 'records');
  await writeFile(path, 'before');
  // A limit on the size of files fails a write in the middle, as a full disk does.
  const script = `process.on('SIGXFSZ', () => {});
const { AppendFile } = await import(${JSON.stringify(join(packageRoot, 'dist', 'util', 'append-file.js'))});
const file = new AppendFile(${JSON.stringify(path)}, (problem) => console.log(problem), false);
file.append('x'.repeat(5000));
await file.settled();`;
  const args = ['--input-type=module', '-e', script];
  const command = ['-c', 'ulimit -f 1 && exec "$0" "$@"', process.execPath, ...args];
  expect((await startProcess('/', 'bash', command).ended).stdout).toMatch(/EFBIG/);
  expect(await readFile(path, 'utf8')).toBe('before');
});

test('a named pipe that nobody reads is not waited for', async () => {
  const path = join(await temporaryFolder(), 'log.txt');
  execFileSync('mkfifo', [path]);
  expect(await append(path, 'one\n')).toEqual([expect.stringContaining('ENXIO')]);
});

test('once it can be written again, it is', async () => {
  const path = join(await temporaryFolder(), 'log.txt');
  await mkdir(path);
  const told: string[] = [];
  const file = new AppendFile(path, (problem) => told.push(problem));
  file.append('lost\n');
  await file.settled();
  expect(told).toEqual([expect.stringContaining('EISDIR')]);
  await rmdir(path);
  file.append('kept\n');
  await file.settled();
  expect(await readFile(path, 'utf8')).toBe('kept\n');
});
