import { execFileSync } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openFile, readSmallFile } from '../../src/util/read-files.js';
import { temporaryFolder } from '../program.js';

test('a small file is read whole, also through a link', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'a'), 'content');
  await symlink('a', join(folder, 'link'));
  expect((await readSmallFile(join(folder, 'link'), 7)).toString()).toBe('content');
  await writeFile(join(folder, 'empty'), '');
  expect((await readSmallFile(join(folder, 'empty'), 0)).length).toBe(0);
});

test('a larger one is refused before it is read', async () => {
  const path = join(await temporaryFolder(), 'a');
  await writeFile(path, 'content');
  await expect(readSmallFile(path, 6)).rejects.toThrow(`${path} has 7 B, more than the 6 B that are read`);
});

test('what is no file is named for what it is, without waiting for it', async () => {
  const folder = await temporaryFolder();
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  for (const [path, kind] of [
    [fifo, 'FIFO'],
    ['/dev/zero', 'device'],
    [folder, 'folder'],
  ]) {
    for (const read of [openFile, (file: string) => readSmallFile(file, 10)]) {
      await expect(read(path!)).rejects.toMatchObject({
        name: 'UserError',
        message: `${path} is a ${kind}, not a file`,
      });
    }
  }
});

test('a socket, which cannot be opened, and what is missing are errors of the system', async () => {
  const path = join(await temporaryFolder(), 'socket');
  const server = createServer().listen(path);
  onTestFinished(() => void server.close());
  await expect(openFile(path)).rejects.toMatchObject({ code: 'ENXIO' });
  await expect(openFile('/nowhere')).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a file that grows is noticed', async () => {
  // Its size is said to be 0.
  await expect(readSmallFile('/proc/self/status', 10_000)).rejects.toThrow('grew while it was read');
});
