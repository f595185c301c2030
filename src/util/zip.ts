import { crc32, inflateRawSync } from 'node:zlib';
import { UserError } from './errors.js';

/**
 * Reading zip archives (PKWARE's APPNOTE.TXT): records of every file, one after the other, and at the end a
 * directory that says where each begins. Integers are little-endian.
 */

const FILE = 0x04034b50;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_END = 0x06054b50;

const DIRECTORY_END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;

/** Stands for a size or place of 4 GiB and more, which is written elsewhere. */
const ELSEWHERE = 0xffffffff;

const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;

/** Whether the bytes begin as a zip archive does. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes.length >= DIRECTORY_END_BYTES && view(bytes).getUint32(0, true) === FILE;
}

/**
 * The files of an archive, unpacked, by name. Throws a UserError (data) that begins with `where`, the archive's
 * name, if it is damaged, encrypted, larger than 4 GiB or packed with another method than deflate.
 */
export function readZip(bytes: Uint8Array, where: string): Map<string, Uint8Array> {
  const fault = (what: string, cause?: unknown) =>
    new UserError('data', `${where}: ${what}`, 'Write or download the file again.', { cause });
  try {
    return readDirectory(bytes, fault);
  } catch (error) {
    // A place outside the file.
    if (error instanceof RangeError) throw fault('is cut off or damaged', error);
    throw error;
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readDirectory(bytes: Uint8Array, fault: (what: string, cause?: unknown) => UserError) {
  const data = view(bytes);
  const end = findDirectoryEnd(data);
  if (end === undefined) throw fault('is cut off: the directory at its end is missing');
  const count = data.getUint16(end + 10, true);
  const files = new Map<string, Uint8Array>();
  let at = data.getUint32(end + 16, true);
  for (let number = 0; number < count; number++) {
    if (data.getUint32(at, true) !== DIRECTORY_ENTRY) throw fault('its directory is damaged');
    const nameBytes = data.getUint16(at + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameBytes));
    if (files.has(name)) throw fault(`has '${name}' twice`);
    if (data.getUint16(at + 8, true) & ENCRYPTED) throw fault(`'${name}' is encrypted`);
    const method = data.getUint16(at + 10, true);
    const checksum = data.getUint32(at + 16, true);
    const packedBytes = data.getUint32(at + 20, true);
    const fileBytes = data.getUint32(at + 24, true);
    const start = data.getUint32(at + 42, true);
    if ([packedBytes, fileBytes, start].includes(ELSEWHERE)) throw fault('is larger than 4 GiB');
    if (data.getUint32(start, true) !== FILE) throw fault(`'${name}' is not where the directory says`);
    const packedAt = start + 30 + data.getUint16(start + 26, true) + data.getUint16(start + 28, true);
    const packed = bytes.subarray(packedAt, packedAt + packedBytes);
    const file = unpack(packed, method, fileBytes);
    if (file === undefined || file.length !== fileBytes || crc32(file) !== checksum) {
      throw fault(`'${name}' is damaged, or packed in a way that is not read here`);
    }
    files.set(name, file);
    at += 46 + nameBytes + data.getUint16(at + 30, true) + data.getUint16(at + 32, true);
  }
  return files;
}

function findDirectoryEnd(data: DataView): number | undefined {
  const last = data.byteLength - DIRECTORY_END_BYTES;
  for (let at = last; at >= Math.max(0, last - MAX_COMMENT_BYTES); at--) {
    if (data.getUint32(at, true) === DIRECTORY_END) return at;
  }
  return undefined;
}

/** The file of `size` bytes, or undefined if it cannot be unpacked. */
function unpack(packed: Uint8Array, method: number, size: number): Uint8Array | undefined {
  if (method === STORED) return packed;
  if (method !== DEFLATED) return undefined;
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, size) });
  } catch {
    return undefined;
  }
}
