import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolders, removeIfAbandoned } from './files.js';
import { ownerName, parseOwner } from './owner.js';

const NAME = /^building-\d+-(.+)$/;

/**
 * Makes a folder of this process, in which something is built that then moves to its place in the cache, and removes
 * those that killed processes left there. Throws Node's system errors.
 */
export async function makeWorkFolder(cache: string): Promise<string> {
  const folder = join(cache, `building-${Date.now()}-${ownerName(process.pid)}`);
  await makeFolders(folder);
  for (const name of await readdir(cache)) {
    await removeIfAbandoned(join(cache, name), parseOwner(NAME.exec(name)?.[1] ?? ''));
  }
  return folder;
}
