import { spawn } from 'node:child_process';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ownerName } from '../../src/util/owner.js';
import { makeWorkFolder } from '../../src/util/work-folder.js';
import { temporaryFolder } from '../program.js';

test('a work folder is new, and those of dead processes go', async () => {
  const cache = await temporaryFolder();
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  onTestFinished(() => {
    child.kill();
  });
  const living = `building-1-${ownerName(child.pid!)}`;
  const dead = `building-1-${ownerName(child.pid!).replace(/\.\d+@/, '.1@')}`;
  const [elsewhere, forgotten] = ['building-1-7.100@elsewhere', 'building-2-7.100@elsewhere'];
  const ready = 'abc-cpu';
  for (const name of [living, dead, elsewhere, forgotten, ready]) {
    await mkdir(join(cache, name));
    await writeFile(join(cache, name, 'file'), 'x');
  }
  const yesterday = new Date(Date.now() - 25 * 3600_000);
  for (const name of [forgotten, ready]) await utimes(join(cache, name), yesterday, yesterday);
  const folder = await makeWorkFolder(cache);
  expect(await readdir(folder)).toEqual([]);
  expect((await readdir(cache)).sort()).toEqual([basename(folder), living, elsewhere, ready].sort());
});
