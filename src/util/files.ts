import { constants, existsSync } from 'node:fs';
import { access, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
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
 * renamed over `path`. Whoever reads `path` sees the old content or the new, also after a crash. What is too large
 * for one string comes in pieces.
 * Throws a UserError (data) if the disk is full or the folder may not be written.
 */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | string | Iterable<string>,
): Promise<void> {
  const temporary = `${path}.${process.pid}.${++writes}.tmp`;
  try {
    const file = await open(temporary, 'wx');
    try {
      const whole = typeof data === 'string' || data instanceof Uint8Array;
      for (const piece of whole ? [data] : data) await file.appendFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw cannotWrite(path, systemCode(error), error);
  }
}

/** Throws the UserError (data) of `writeFileAtomic` before there is anything to write, if it can be foreseen. */
export async function checkWritable(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK);
  } catch (error) {
    throw cannotWrite(path, systemCode(error), error);
  }
  if (existsSync(path) && (await isFolder(path))) throw cannotWrite(path, 'EISDIR');
}

/** What to throw where `path` cannot be written: a UserError (data) if a person can mend it, otherwise the cause. */
export function cannotWrite(path: string, code = '', cause?: unknown): unknown {
  const remedy = REMEDIES[code];
  if (remedy === undefined) return cause;
  return new UserError('data', `cannot write ${path} (${code})`, remedy, { cause });
}

/**
 * Makes a folder, and those above it that are missing, for results. Throws a UserError (data) if it cannot be made;
 * `remedy` says what to do then.
 */
export async function makeFolder(
  path: string,
  remedy = 'Choose a folder that you may write to.',
): Promise<void> {
  try {
    await makeFolders(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    throw new UserError('data', `cannot make the folder ${path} (${code})`, remedy, { cause: error });
  }
}

/**
 * As `mkdir` with `recursive`, which never returns below /proc: there, making a folder fails as if the one above it
 * were missing, and it tries for ever. Throws Node's system errors.
 */
export async function makeFolders(path: string): Promise<void> {
  if (await isFolder(path)) return;
  const above = dirname(resolve(path));
  if (above !== resolve(path)) await makeFolders(above);
  try {
    await mkdir(path);
  } catch (error) {
    // Another process may have been faster.
    if (systemCode(error) !== 'EEXIST' || !(await isFolder(path))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
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
