import { execFileSync, spawn } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UserError } from '../../src/util/errors.js';
import { checkWritable, makeFolder, writeFileAtomic } from '../../src/util/files.js';
import { ownerName } from '../../src/util/owner.js';

function* failing() {
  yield 'some';
  throw new Error('no more');
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('makeFolder', () => {
  test('makes what is missing, once or many times at once, and leaves what is there', async () => {
    const path = join(folder, 'a', 'b', 'c');
    await Promise.all(Array.from({ length: 8 }, () => makeFolder(path)));
    await writeFileAtomic(join(path, 'file'), 'x');
    await makeFolder(path);
    expect(await readdir(path)).toEqual(['file']);
  });

  test.each([
    ['below a file', 'file/a', 'not a directory (ENOTDIR)', 'Correct the path'],
    ['in the place of a file', 'file', 'file already exists (EEXIST)', 'Move away what has this name'],
  ])('says what to do where it cannot be made: %s', async (_, name, problem, first) => {
    await writeFileAtomic(join(folder, 'file'), 'x');
    const path = join(folder, name);
    const failure = await makeFolder(path, 'do that').catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'UserError', kind: 'data', remedy: `${first}, or do that.` });
    expect((failure as UserError).message).toBe(`cannot make the folder ${path}: ${problem}`);
  });

  test('comes back where a file system has no place for folders', async () => {
    await expect(makeFolder('/proc/densenet/a')).rejects.toThrow('cannot make the folder /proc/densenet/a');
  });
});

describe('writeFileAtomic', () => {
  test('keeps what was there under another name, once the new is whole', async () => {
    const [path, previous] = [join(folder, 'a'), join(folder, 'previous')];
    for (const content of ['1', '2', '3']) await writeFileAtomic(path, content, previous);
    expect(await readFile(path, 'utf8')).toBe('3');
    expect(await readFile(previous, 'utf8')).toBe('2');
    await expect(writeFileAtomic(path, failing(), previous)).rejects.toThrow('no more');
    expect(await readFile(path, 'utf8')).toBe('3');
    expect(await readFile(previous, 'utf8')).toBe('2');
    expect((await readdir(folder)).sort()).toEqual(['a', 'previous']);
  });

  test('removes what dead processes left, and leaves what living ones write', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    const living = `a.${ownerName(child.pid!)}.1.tmp`;
    const dead = [
      living.replace(/\.\d+@/, '.1@'),
      `a.${ownerName(process.pid).replace(/\.\d+@/, '.1@')}.1.tmp`,
    ];
    const elsewhere = 'a.7.100@elsewhere.1.tmp';
    const forgotten = 'b.7.100@elsewhere.1.tmp';
    const others = ['notes.2024.1.tmp', 'old.tmp'];
    for (const name of [living, ...dead, elsewhere, forgotten, ...others])
      await writeFile(join(folder, name), 'x');
    const yesterday = new Date(Date.now() - 25 * 3600_000);
    for (const name of [forgotten, ...others]) await utimes(join(folder, name), yesterday, yesterday);
    await writeFileAtomic(join(folder, 'a'), 'new');
    child.kill();
    expect((await readdir(folder)).sort()).toEqual(['a', living, elsewhere, ...others].sort());
  });

  test('writes and replaces, and leaves nothing else behind', async () => {
    const path = join(folder, 'a.json');
    await writeFileAtomic(path, 'old');
    await writeFileAtomic(path, Uint8Array.of(1, 2, 3));
    expect(new Uint8Array(await readFile(path))).toEqual(Uint8Array.of(1, 2, 3));
    expect(await readdir(folder)).toEqual(['a.json']);
  });

  test('concurrent writers leave one whole content', async () => {
    const path = join(folder, 'a');
    const contents = Array.from({ length: 8 }, (_, i) => `${i}`.repeat(100_000));
    await Promise.all(contents.map((content) => writeFileAtomic(path, content)));
    expect(contents).toContain(await readFile(path, 'utf8'));
    expect(await readdir(folder)).toEqual(['a']);
  });

  test('names the file and the remedy where the folder is missing', async () => {
    const path = join(folder, 'none', 'a');
    const failure = await writeFileAtomic(path, 'x').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UserError);
    expect(failure).toMatchObject({ kind: 'data', remedy: 'Check the path, or choose another folder.' });
    expect((failure as UserError).message).toBe(`cannot write ${path}: no such file or directory (ENOENT)`);
  });

  test('leaves nothing behind where it fails after writing', async () => {
    const path = join(folder, 'a');
    await mkdir(path);
    await expect(writeFileAtomic(path, 'x')).rejects.toThrow(
      `cannot write ${path}: illegal operation on a directory (EISDIR)`,
    );
    expect(await readdir(folder)).toEqual(['a']);
  });

  test('writes pieces one after the other, or nothing where one fails', async () => {
    const path = join(folder, 'a.csv');
    await writeFileAtomic(path, ['a,', 'b\n', 'c']);
    expect(await readFile(path, 'utf8')).toBe('a,b\nc');
    const broken = function* () {
      yield 'half';
      throw new Error('no more');
    };
    await expect(writeFileAtomic(path, broken())).rejects.toThrow('no more');
    expect(await readFile(path, 'utf8')).toBe('a,b\nc');
    expect(await readdir(folder)).toEqual(['a.csv']);
  });

  test('writes into a named pipe, which stays one', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await checkWritable(pipe);
    const pieces = ['one, ', 'two'];
    const [read] = await Promise.all([readFile(pipe, 'utf8'), writeFileAtomic(pipe, pieces)]);
    expect(read).toBe('one, two');
    expect((await lstat(pipe)).isFIFO()).toBe(true);
    expect(await readdir(folder)).toEqual(['pipe']);
  });

  test('writes through links to their target, also one that is not there yet', async () => {
    await mkdir(join(folder, 'far', 'away'), { recursive: true });
    await symlink('far/away', join(folder, 'near'));
    await symlink('../target', join(folder, 'far', 'away', 'link'));
    const [link, target] = [join(folder, 'near', 'link'), join(folder, 'far', 'target')];
    for (const text of ['new', 'again']) {
      await checkWritable(link);
      await writeFileAtomic(link, text);
      expect(await readFile(target, 'utf8')).toBe(text);
    }
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readdir(join(folder, 'far'))).toEqual(['away', 'target']);
    expect(await readdir(join(folder, 'far', 'away'))).toEqual(['link']);
  });

  test('names a circle of links', async () => {
    const circle = join(folder, 'circle');
    await symlink('circle', circle);
    for (const attempt of [checkWritable, (path: string) => writeFileAtomic(path, 'x')]) {
      await expect(attempt(circle)).rejects.toMatchObject({ message: expect.stringContaining('(ELOOP)') });
    }
  });

  test('foresees that it would fail', async () => {
    await checkWritable(join(folder, 'a'));
    const nowhere = join(folder, 'none', 'a');
    await expect(checkWritable(nowhere)).rejects.toThrow(
      `cannot write ${nowhere}: no such file or directory (ENOENT)`,
    );
    await expect(checkWritable(folder)).rejects.toThrow(`cannot write ${folder}: a folder has this name`);
    expect(await readdir(folder)).toEqual([]);
  });
});
