import { open, rm } from 'node:fs/promises';
import { systemCode } from './errors.js';
import { ownerName } from './owner.js';
import { readSmallFile } from './read-files.js';

/**
 * Milliseconds in which a process names itself in a file that it has made. One that stays empty is of a process that
 * was killed before it could.
 */
export const NAMELESS = 1_000;

/** More than any process and host are called. */
const MOST_BYTES = 10_000;

/** Makes a file that names this process; false where there is something of that name. Throws Node's system errors. */
export async function makeOwnerFile(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(ownerName(process.pid));
    } catch (error) {
      await rm(path, { force: true }).catch(() => {});
      throw error;
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Whom such a file names, nobody between its creation and its first byte; undefined where there is none. Throws a
 * UserError (data) where it is something else, and Node's system errors.
 */
export async function readOwnerFile(path: string): Promise<string | undefined> {
  try {
    return (await readSmallFile(path, MOST_BYTES)).toString('utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
