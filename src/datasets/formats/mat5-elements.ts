import type { FileHandle } from 'node:fs/promises';
import type { ByteSource } from './byte-source.js';
import { FormatError } from './format-error.js';

export type Endianness = 'little' | 'big';

/** A way to store numbers: MAT type number, bytes per element, decoder. */
export interface Storage {
  readonly type: number;
  readonly bytes: number;
  decode(content: Buffer, endianness: Endianness): Float64Array;
}

function storage(
  type: number,
  bytes: number,
  get: (view: DataView, at: number, little: boolean) => number,
): Storage {
  return {
    type,
    bytes,
    decode: (content, endianness) => {
      const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
      const length = Math.floor(content.length / bytes);
      return Float64Array.from({ length }, (_, i) => get(view, i * bytes, endianness === 'little'));
    },
  };
}

/** The numeric storage types. 64-bit integers are rounded to a double. */
export const STORAGE = {
  int8: storage(1, 1, (view, at) => view.getInt8(at)),
  uint8: storage(2, 1, (view, at) => view.getUint8(at)),
  int16: storage(3, 2, (view, at, little) => view.getInt16(at, little)),
  uint16: storage(4, 2, (view, at, little) => view.getUint16(at, little)),
  int32: storage(5, 4, (view, at, little) => view.getInt32(at, little)),
  uint32: storage(6, 4, (view, at, little) => view.getUint32(at, little)),
  single: storage(7, 4, (view, at, little) => view.getFloat32(at, little)),
  double: storage(9, 8, (view, at, little) => view.getFloat64(at, little)),
  int64: storage(12, 8, (view, at, little) => Number(view.getBigInt64(at, little))),
  uint64: storage(13, 8, (view, at, little) => Number(view.getBigUint64(at, little))),
} as const;

const HEADER_BYTES = 128;

/** Reads the file header. Throws `FormatError` for anything but MAT v5, naming what the file is where that is known. */
export async function readHeader(
  file: FileHandle,
  path: string,
): Promise<{ endianness: Endianness; bytes: number }> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
  const mark = buffer.toString('latin1', 126, 128);
  const endianness = mark === 'IM' ? 'little' : 'big';
  const version = endianness === 'little' ? buffer.readUInt16LE(124) : buffer.readUInt16BE(124);
  if (bytesRead === HEADER_BYTES && (mark === 'IM' || mark === 'MI') && version === 0x0100) {
    return { endianness, bytes: HEADER_BYTES };
  }
  const hdf5 = buffer.toString('latin1', 0, 10) === 'MATLAB 7.3' || version === 0x0200;
  throw new FormatError(path, hdf5 ? 'is a MAT v7.3 (HDF5) file; MAT v5 is needed' : 'is not a MAT v5 file');
}

/** The tag of a data element. */
export interface ElementTag {
  readonly type: number;
  readonly bytes: number;
  /** The data, where they are packed into the tag (at most 4 bytes). */
  readonly small: Buffer | undefined;
}

/** Reads a tag, 8 bytes. In the small form the first word holds the size (upper half) and the type. */
export async function readTag(source: ByteSource, endianness: Endianness): Promise<ElementTag> {
  const bytes = await source.read(8);
  const word = endianness === 'little' ? bytes.readUInt32LE(0) : bytes.readUInt32BE(0);
  const smallBytes = word >>> 16;
  if (smallBytes > 4) throw new FormatError(source.path, 'has an impossible tag; it is damaged');
  if (smallBytes > 0)
    return { type: word & 0xffff, bytes: smallBytes, small: bytes.subarray(4, 4 + smallBytes) };
  const size = endianness === 'little' ? bytes.readUInt32LE(4) : bytes.readUInt32BE(4);
  return { type: word, bytes: size, small: undefined };
}
