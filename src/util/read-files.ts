import { constants, type ReadStream, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { UserError } from './errors.js';
import { formatBytes } from './format.js';

/** How many files are looked at at once: the disk answers in parallel. */
export const FILES_AT_ONCE = 64;

/** What opens a file without waiting: opening a FIFO to read would wait for somebody to write. */
export const READ_AT_ONCE = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * Opens a file for reading. Throws a UserError (data) where `path` is a folder, FIFO or device, which may have no end,
 * and Node's system errors.
 */
export async function openFile(path: string): Promise<FileHandle> {
  const file = await open(path, READ_AT_ONCE);
  try {
    checkIsFile(await file.stat(), path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Throws a UserError (data) that says what `path` is, unless it is a file. */
export function checkIsFile(found: Stats, path: string): void {
  if (found.isFile()) return;
  const kind = found.isDirectory() ? 'folder' : found.isFIFO() ? 'FIFO' : 'device';
  throw new UserError('data', `${path} is a ${kind}, not a file`, 'Give the path of a file.');
}

/** Size in bytes. Throws as `openFile`. */
export async function fileSize(path: string): Promise<number> {
  const found = await stat(path);
  checkIsFile(found, path);
  return found.size;
}

export interface StreamOptions {
  /** First byte. */
  readonly start?: number;
  /** Last byte. */
  readonly end?: number;
  readonly signal?: AbortSignal;
}

/** Reads a file in pieces of up to a megabyte. Throws as `openFile`, and while it is read Node's system errors. */
export async function streamFile(
  path: string,
  { start, end, signal }: StreamOptions = {},
): Promise<ReadStream> {
  const file = await openFile(path);
  const { size } = await file.stat();
  const highWaterMark = Math.max(1, Math.min(size, 1 << 20));
  return file.createReadStream({ highWaterMark, start, end, signal });
}

/**
 * Reads a whole file of at most `most` bytes. Throws a UserError (data) where it is larger, or is no file, and Node's
 * system errors.
 */
export async function readSmallFile(path: string, most: number): Promise<Buffer> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    if (size > most) {
      const message = `${path} has ${formatBytes(size)}, more than the ${formatBytes(most)} that are read`;
      throw new UserError('data', message, 'Give the path of another file.');
    }
    // One byte more, to notice a file that grows.
    const content = Buffer.allocUnsafe(size + 1);
    let done = 0;
    while (done <= size) {
      const { bytesRead } = await file.read(content, done, content.length - done, done);
      if (bytesRead === 0) return content.subarray(0, done);
      done += bytesRead;
    }
    throw new UserError('data', `${path} grew while it was read`, 'Run the same command again.');
  } finally {
    await file.close();
  }
}
