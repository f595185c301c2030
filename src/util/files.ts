import { constants, existsSync, type Stats } from 'node:fs';
import {
  access,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { diskError } from './disk-errors.js';
import { systemCode, UserError } from './errors.js';
import { liveness, type Owner, ownerName, parseOwner } from './owner.js';

/**
 * Writes a file whole or not at all: under a temporary name in the same folder, flushed to the disk, then
 * renamed over `path`. Whoever reads `path` sees the old content or the new, also after a crash. What is too large
 * for one string comes in pieces. Where `path` is a link, its target is written; a device or a named pipe is written
 * into, and stays what it is.
 * Throws a UserError (data) if the disk is full or the folder may not be written.
 * @param previous keeps what `path` held before under this name, from when the new content is whole
 */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | string | Iterable<string>,
  previous?: string,
): Promise<void> {
  try {
    const pieces = typeof data === 'string' || data instanceof Uint8Array ? [data] : data;
    if (await isSpecial(path)) await writeInto(path, pieces);
    else await replaceFile(await throughLinks(path), pieces, previous);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

type Pieces = Iterable<Uint8Array | string>;

async function replaceFile(path: string, pieces: Pieces, previous?: string): Promise<void> {
  await removeAbandoned(dirname(path));
  const temporary = `${path}.${ownerName(process.pid)}.${++writes}.tmp`;
  try {
    const file = await open(temporary, 'w');
    try {
      for (const piece of pieces) await file.appendFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    if (previous !== undefined && existsSync(path)) await keep(path, previous);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

/** Gives a file a second name. Where the file system cannot, it has the second name only, until a new one is there. */
async function keep(path: string, previous: string): Promise<void> {
  await rm(previous, { force: true });
  await link(path, previous).catch(() => rename(path, previous));
}

/** Folders that this process has looked through for abandoned files. */
const cleaned = new Set<string>();

/** Removes the temporary files of dead processes: a checkpoint's is as large as the checkpoint. */
async function removeAbandoned(folder: string): Promise<void> {
  if (cleaned.has(folder)) return;
  cleaned.add(folder);
  // A folder that cannot be read, or is not there, is for the write to complain of.
  for (const name of await readdir(folder).catch(() => [])) {
    const [, owner] = /\.(\d+[.@].*)\.\d+\.tmp$/.exec(name) ?? [];
    await removeIfAbandoned(join(folder, name), parseOwner(owner ?? ''));
  }
}

/** Milliseconds after which what a process left of which nothing is known, as on another host, is abandoned. */
const FORGOTTEN = 24 * 3600_000;

/**
 * Removes a temporary file or folder if the process that made it is gone; nothing where no owner is known. What cannot
 * be removed, as of another person, stays.
 */
export async function removeIfAbandoned(path: string, owner: Owner | undefined): Promise<void> {
  if (!owner) return;
  const state = liveness(owner);
  const age = Date.now() - ((await statOf(path).catch(() => undefined))?.mtimeMs ?? Date.now());
  if (state === 'alive' || (state === 'unknown' && age < FORGOTTEN)) return;
  await rm(path, { recursive: true, force: true }).catch(() => {});
}

async function writeInto(path: string, pieces: Pieces): Promise<void> {
  const file = await open(path, constants.O_WRONLY);
  try {
    for (const piece of pieces) await file.appendFile(piece);
  } finally {
    await file.close();
  }
}

/** Whether it is a device, a named pipe or a socket, also through links. */
async function isSpecial(path: string): Promise<boolean> {
  const stats = await statOf(path);
  return stats !== undefined && !stats.isFile() && !stats.isDirectory();
}

/** What the path means in the end, also where the last of its links points to nothing yet. */
async function throughLinks(path: string): Promise<string> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isSymbolicLink()
    ? throughLinks(resolve(await realpath(dirname(path)), await readlink(path)))
    : path;
}

/** Whether two paths mean one file, device or pipe, through links too, also where there is nothing yet. */
export async function isSameFile(a: string, b: string): Promise<boolean> {
  const [statA, statB] = [await statOf(a), await statOf(b)];
  if (statA && statB) return statA.dev === statB.dev && statA.ino === statB.ino;
  return resolve(await throughLinks(a)) === resolve(await throughLinks(b));
}

/** Throws the UserError (data) of `writeFileAtomic` before there is anything to write, if it can be foreseen. */
export async function checkWritable(path: string): Promise<void> {
  try {
    const special = await isSpecial(path);
    await access(special ? path : dirname(await throughLinks(path)), constants.W_OK);
    if (!(await isFolder(path))) return;
  } catch (error) {
    throw cannotWrite(path, error);
  }
  throw new UserError('data', `cannot write ${path}: a folder has this name`, 'Choose another name.');
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
 * were missing, and it tries forever. Throws Node's system errors.
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

/** Throws ENOTDIR where the path leads through a file, which making folders cannot help. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** What the path leads to, through links; undefined where there is nothing. */
export async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Writes of this process so far: makes temporary names unique. */
let writes = 0;

/** What file systems say that cannot flush a folder: VirtualBox's shared folders, older CIFS, some of FUSE. */
const CANNOT_FLUSH = ['EINVAL', 'EBADF', 'ENOTSUP', 'EOPNOTSUPP', 'EISDIR', 'EACCES', 'EPERM'];

/** Makes a rename in the folder survive a loss of power, where the file system can. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    if (!CANNOT_FLUSH.includes(systemCode(error) ?? '')) throw error;
  }
}
