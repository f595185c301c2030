import type { ByteSource } from './byte-source.js';
import { FormatError } from './format-error.js';

const BLOCK = 512;

/** One member of a tar archive. */
export interface TarEntry {
  readonly name: string;
  /** A regular file; not a folder, a link or the like. */
  readonly isFile: boolean;
  /** Where its content begins, in bytes from the beginning of the source. */
  readonly offset: number;
  readonly bytes: number;
}

/**
 * The members of the tar archive (POSIX ustar or pax, GNU) that begins where `source` stands, in order. What of a
 * member's content is not read before the next one is asked for is passed over. Reads the archive up to its end
 * mark. Throws `FormatError`.
 * @param end where the archive ends at the latest
 */
export async function* tarEntries(source: ByteSource, end: number): AsyncGenerator<TarEntry> {
  let given: { name?: string; bytes?: number } = {};
  for (;;) {
    if (source.position + BLOCK > end) throw damaged(source, 'ends without an end mark');
    const header = await source.read(BLOCK);
    if (isEndMark(header)) return;
    if (!isHeader(header)) throw damaged(source, 'is not what an archive has there');
    const type = String.fromCharCode(header[156]!);
    const bytes = given.bytes ?? number(header, 124, 136);
    const offset = source.position;
    const next = offset + BLOCK * Math.ceil(bytes / BLOCK);
    if (!Number.isSafeInteger(bytes) || bytes < 0 || next > end) {
      throw damaged(source, 'has a member beyond the end');
    }
    if (type === 'x' || type === 'L') {
      if (bytes > MAX_EXTENSION) throw damaged(source, 'has an unlikely header');
      const content = (await source.read(bytes)).toString('utf8');
      given = type === 'x' ? paxRecords(content) : { name: content.replace(/\0.*$/s, '') };
      if ((given.name ?? '').length > MAX_NAME) throw damaged(source, 'has an unlikely name');
    } else if (type !== 'g' && type !== 'K') {
      yield { name: given.name ?? ownName(header), isFile: type === '0' || type === '\0', offset, bytes };
      given = {};
    }
    await source.skip(next - source.position);
  }
}

/** Longest pax header that is read, and longest name in it. */
const MAX_EXTENSION = 1 << 20;
const MAX_NAME = 4096;

function damaged(source: ByteSource, what: string): FormatError {
  return new FormatError(source.path, `${what} (before byte ${source.position}); it is truncated or damaged`);
}

function isEndMark(header: Buffer): boolean {
  return header[0] === 0 && header.every((byte) => byte === 0);
}

/** The checksum is the sum of all bytes, with spaces in its own place. */
function isHeader(header: Buffer): boolean {
  let sum = 8 * 0x20;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += header[i]!;
  return sum === number(header, 148, 156);
}

/** Octal digits; or, with the highest bit set, a big-endian number. */
function number(header: Buffer, start: number, end: number): number {
  if (header[start]! & 0x80) {
    let value = header[start]! & 0x7f;
    for (let i = start + 1; i < end; i++) value = 256 * value + header[i]!;
    return value;
  }
  const digits = header.toString('latin1', start, end).replace(/\0.*$/s, '').trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : Number.NaN;
}

/** The name that a header has room for: up to 100 bytes, and in ustar up to 155 before them. */
export function ownName(header: Buffer): string {
  const text = (start: number, end: number) => header.toString('utf8', start, end).replace(/\0.*$/s, '');
  const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? text(345, 500) : '';
  return prefix ? `${prefix}/${text(0, 100)}` : text(0, 100);
}

/** Records are `<length> <key>=<value>\n`. */
function paxRecords(content: string): { name?: string; bytes?: number } {
  const value = (key: string) => new RegExp(`^\\d+ ${key}=(.*)$`, 'm').exec(content)?.[1];
  const size = value('size');
  return { name: value('path'), bytes: size === undefined ? undefined : Number(size) };
}
