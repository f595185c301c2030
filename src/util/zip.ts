import { constants, crc32, inflateRawSync } from 'node:zlib';
import { UserError } from './errors.js';
import { formatBytes } from './format.js';
import { shorten } from './shorten.js';

/**
 * Reading zip archives (PKWARE's APPNOTE.TXT): records of every file, one after the other, and at the end a
 * directory that says where each begins. Integers are little-endian.
 */

const FILE = 0x04034b50;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_END = 0x06054b50;

const FILE_BYTES = 30;
const DIRECTORY_ENTRY_BYTES = 46;
const DIRECTORY_END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;

/** Stands for a size or place of 4 GiB and more, which is written elsewhere. */
const ELSEWHERE = 0xffffffff;

const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;

/** What all files of an archive may unpack to: as much as an archive of this format can hold unpacked. */
const MAX_UNPACKED_BYTES = 2 ** 32;

/** Packed bytes of which the beginning of a file is unpacked. */
const BEGINNING_BYTES = 1024;

/** A file of an archive. Its methods throw a UserError (data) if it is damaged. */
export interface ZipFile {
  /** Unpacked, as the archive says. */
  readonly bytes: number;
  /** Some bytes from its beginning on: hundreds, if it has so many. */
  readonly beginning: () => Uint8Array;
  readonly read: () => Uint8Array;
}

/** Whether the bytes begin as a zip archive does. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes.length >= DIRECTORY_END_BYTES && view(bytes).getUint32(0, true) === FILE;
}

/**
 * The files of an archive by name; each is unpacked when it is asked for. Throws a UserError (data) that begins with
 * `where`, the archive's name, if it is damaged, encrypted, larger than 4 GiB, packed with another method than deflate,
 * or if several files lie in the same place.
 */
export function readZip(bytes: Uint8Array, where: string): Map<string, ZipFile> {
  try {
    return readDirectory(bytes, where);
  } catch (error) {
    // A place outside the file.
    if (error instanceof RangeError) throw fault(where, 'is cut off or damaged', error);
    throw error;
  }
}

function fault(where: string, what: string, cause?: unknown): UserError {
  return new UserError('data', `${where}: ${what}`, 'Write or download the file again.', { cause });
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readDirectory(bytes: Uint8Array, where: string): Map<string, ZipFile> {
  const data = view(bytes);
  const end = findDirectoryEnd(data);
  if (end === undefined) throw fault(where, 'is cut off: the directory at its end is missing');
  const count = data.getUint16(end + 10, true);
  const files = new Map<string, ZipFile>();
  const places: { readonly start: number; readonly end: number }[] = [];
  let unpackedBytes = 0;
  let at = data.getUint32(end + 16, true);
  for (let number = 0; number < count; number++) {
    if (data.getUint32(at, true) !== DIRECTORY_ENTRY) throw fault(where, 'its directory is damaged');
    const nameBytes = data.getUint16(at + 28, true);
    const nameAt = at + DIRECTORY_ENTRY_BYTES;
    const name = new TextDecoder().decode(bytes.subarray(nameAt, nameAt + nameBytes));
    const title = `'${shorten(name)}'`;
    if (files.has(name)) throw fault(where, `has ${title} twice`);
    if (data.getUint16(at + 8, true) & ENCRYPTED) throw fault(where, `${title} is encrypted`);
    const method = data.getUint16(at + 10, true);
    const checksum = data.getUint32(at + 16, true);
    const packedBytes = data.getUint32(at + 20, true);
    const fileBytes = data.getUint32(at + 24, true);
    const start = data.getUint32(at + 42, true);
    if ([packedBytes, fileBytes, start].includes(ELSEWHERE)) throw fault(where, 'is larger than 4 GiB');
    if (data.getUint32(start, true) !== FILE) throw fault(where, `${title} is not where the directory says`);
    const packedAt = start + FILE_BYTES + data.getUint16(start + 26, true) + data.getUint16(start + 28, true);
    places.push({ start, end: packedAt + packedBytes });
    unpackedBytes += fileBytes;
    const packed = bytes.subarray(packedAt, packedAt + packedBytes);
    const damaged = () => fault(where, `${title} is damaged, or packed in a way that is not read here`);
    files.set(name, {
      bytes: fileBytes,
      beginning: () => {
        const file = unpack(packed.subarray(0, BEGINNING_BYTES), method, fileBytes);
        if (file === undefined) throw damaged();
        return file;
      },
      read: () => {
        const file = unpack(packed, method, fileBytes);
        if (file?.length !== fileBytes || crc32(file) !== checksum) throw damaged();
        return file;
      },
    });
    at = nameAt + nameBytes + data.getUint16(at + 30, true) + data.getUint16(at + 32, true);
  }
  if (overlap(places)) throw fault(where, 'has several files in the same place');
  if (unpackedBytes > MAX_UNPACKED_BYTES) throw fault(where, `would unpack to ${formatBytes(unpackedBytes)}`);
  return files;
}

function findDirectoryEnd(data: DataView): number | undefined {
  const last = data.byteLength - DIRECTORY_END_BYTES;
  for (let at = last; at >= Math.max(0, last - MAX_COMMENT_BYTES); at--) {
    if (data.getUint32(at, true) === DIRECTORY_END) return at;
  }
  return undefined;
}

function overlap(places: readonly { readonly start: number; readonly end: number }[]): boolean {
  const ordered = places.toSorted((a, b) => a.start - b.start);
  return ordered.some(({ start }, index) => index > 0 && start < ordered[index - 1]!.end);
}

/** At most `most` bytes of a file, of which `packed` may be the beginning; undefined if they cannot be unpacked. */
function unpack(packed: Uint8Array, method: number, most: number): Uint8Array | undefined {
  if (method === STORED) return packed;
  if (method !== DEFLATED) return undefined;
  try {
    return inflateRawSync(packed, {
      maxOutputLength: Math.max(1, most),
      finishFlush: constants.Z_SYNC_FLUSH,
    });
  } catch {
    return undefined;
  }
}
