import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode, UserError } from './errors.js';

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full: free some space, then run the same command again.',
  EDQUOT: 'The disk quota is used up: free some space, then run the same command again.',
  EACCES: 'Give yourself write permission on the folder, or choose another one.',
  EPERM: 'Give yourself write permission on the folder, or choose another one.',
  EROFS: 'The file system is read-only: choose another folder.',
  ENOENT: 'Make the folder first.',
  EISDIR: 'A folder has this name: choose another one.',
  ENOTDIR: 'A part of the path is a file: choose another folder.',
};

/**
 * Writes a file whole or not at all: under a temporary name in the same folder, flushed to the disk, then
 * renamed over `path`. Whoever reads `path` sees the old content or the new, also after a crash.
 * Throws a UserError (data) if the disk is full or the folder may not be written.
 */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${process.pid}.${++writes}.tmp`;
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    const code = systemCode(error) ?? '';
    const remedy = REMEDIES[code];
    if (remedy === undefined) throw error;
    throw new UserError('data', `cannot write ${path} (${code})`, remedy, { cause: error });
  }
}

/** Writes of this process so far: makes temporary names unique. */
let writes = 0;

/** Makes a rename in the folder survive a loss of power. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
