import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UserError } from '../../src/util/errors.js';
import { writeFileAtomic } from '../../src/util/files.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('writeFileAtomic', () => {
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
    expect(failure).toMatchObject({ kind: 'data', remedy: 'Make the folder first.' });
    expect((failure as UserError).message).toBe(`cannot write ${path} (ENOENT)`);
  });

  test('leaves nothing behind where it fails after writing', async () => {
    const path = join(folder, 'a');
    await mkdir(path);
    await expect(writeFileAtomic(path, 'x')).rejects.toThrow(`cannot write ${path} (EISDIR)`);
    expect(await readdir(folder)).toEqual(['a']);
  });
});
