import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { diskProblem } from './disk-errors.js';
import { systemCode } from './errors.js';

const NEWLINE = 0x0a;
/** Bytes that are looked through at a time. */
const PIECE = 65_536;

/** How a file is opened that may be anything: a FIFO without a reader is an error then, and is not waited for. */
const { O_APPEND, O_CREAT, O_WRONLY, O_RDWR, O_NONBLOCK } = constants;

/**
 * A file that only grows. Writing never throws and is never waited for: what cannot be written is missing, and the
 * first time it is told. The file is opened for each write, so that other hosts of a network file system see it. Its
 * folder is not made: where that has been moved away, nothing of it comes back.
 */
export class AppendFile {
  private pending: Uint8Array[] = [];
  private writing: Promise<void> | undefined;
  private told = false;
  /** Whether what is in the file may end in the middle of a line. */
  private torn: boolean;

  /**
   * @param onFailure is told once, in words, why the file cannot be written
   * @param lines whether it holds lines, of which the last one is cut where a killed process left a part
   */
  constructor(
    readonly path: string,
    private readonly onFailure: (problem: string) => void,
    private readonly lines = true,
  ) {
    this.torn = lines;
  }

  append(content: Uint8Array | string): void {
    this.pending.push(typeof content === 'string' ? Buffer.from(content) : content);
    this.writing ??= this.write();
  }

  /** Resolves when all so far is written, or could not be. */
  async settled(): Promise<void> {
    await this.writing;
  }

  private async write(): Promise<void> {
    while (this.pending.length > 0) {
      const content = Buffer.concat(this.pending.splice(0));
      try {
        if (this.torn) await cutTornLine(this.path);
        this.torn = this.lines;
        await appendTo(this.path, content);
        this.torn = false;
      } catch (error) {
        if (!this.told) this.onFailure(diskProblem(error)?.words ?? String(error));
        this.told = true;
      }
    }
    this.writing = undefined;
  }
}

/** Appends all of it, or nothing: a reader of records stops at a part of one. */
async function appendTo(path: string, content: Uint8Array): Promise<void> {
  const file = await open(path, O_APPEND | O_CREAT | O_WRONLY | O_NONBLOCK, 0o666);
  try {
    const before = await file.stat();
    try {
      await file.appendFile(content);
    } catch (error) {
      if (before.isFile()) await file.truncate(before.size);
      throw error;
    }
  } finally {
    await file.close();
  }
}

/** Cuts what stands behind the last end of a line. Where there is no file, there is nothing to cut. */
async function cutTornLine(path: string): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(path, O_RDWR | O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return;
    const end = await endOfLines(file, stats.size);
    if (end < stats.size) await file.truncate(end);
  } finally {
    await file.close();
  }
}

/** The position behind the last end of a line among the first `size` bytes; 0 where there is none. */
async function endOfLines(file: FileHandle, size: number): Promise<number> {
  const piece = Buffer.alloc(PIECE);
  for (let end = size; end > 0; end -= PIECE) {
    const start = Math.max(0, end - PIECE);
    const { bytesRead } = await file.read(piece, 0, end - start, start);
    const last = piece.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (last >= 0) return start + last + 1;
  }
  return 0;
}
