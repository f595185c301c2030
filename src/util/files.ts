import { constants, existsSync } from 'node:fs';
import { access, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { diskError } from './disk-errors.js';
import { systemCode, UserError } from './errors.js';

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
    throw cannotWrite(path, error);
  }
}

/** Throws the UserError (data) of `writeFileAtomic` before there is anything to write, if it can be foreseen. */
export async function checkWritable(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK);
  } catch (error) {
    throw cannotWrite(path, error);
  }
  if (existsSync(path) && (await isFolder(path))) {
    throw new UserError('data', `cannot write ${path}: a folder has this name`, 'Choose another name.');
  }
}

/** What to throw where `path` cannot be written: a UserError (data) if the disk refuses it, otherwise the cause. */
export function cannotWrite(path: string, cause: unknown): unknown {
  return diskError(cause, `cannot write ${path}`, 'choose another folder');
}

/**
 * Makes a folder, and those above it that are missing, for results. Throws a UserError (data) if it cannot be made.
 * @param otherwise what else a person can do then, as the end of a sentence
 */
export async function makeFolder(path: string, otherwise = 'choose another folder'): Promise<void> {
  try {
    await makeFolders(path);
  } catch (error) {
    throw diskError(error, `cannot make the folder ${path}`, otherwise);
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
