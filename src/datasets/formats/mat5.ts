import type { FileHandle } from 'node:fs/promises';
import { openFile } from '../../util/read-files.js';
import { ByteSource, type ByteSourceOptions } from './byte-source.js';
import { FormatError } from './format-error.js';
import {
  type ElementTag,
  type Endianness,
  readHeader,
  readTag,
  STORAGE,
  type Storage,
} from './mat5-elements.js';

export { STORAGE } from './mat5-elements.js';

/** A real numeric array of a MAT-file. Its data are read from the file as they are asked for. */
export interface NumericArray {
  readonly name: string;
  /** MATLAB's order: the first dimension varies fastest in the data. */
  readonly shape: readonly number[];
  /** How the elements are stored; MATLAB may store narrower than the array's class. */
  readonly storage: Storage;
  /** Size of the data. */
  readonly bytes: number;
  /** The next bytes of the data, as they come: at least 1, at most `limit`. */
  some(limit: number): Promise<Buffer>;
  /** All elements; use it instead of `some`. */
  numbers(): Promise<Float64Array>;
}

export const TYPE = { matrix: 14, compressed: 15 };
export const MATRIX_CLASS = { cell: 1, struct: 2, char: 4, firstNumeric: 6, lastNumeric: 15 };
const TAG_BYTES = 8;

/**
 * Calls `visit` with each numeric array of a MAT v5 file ("MAT-File Format", The MathWorks), in order; other
 * kinds (struct, cell, char, sparse) are passed over. An array's data can be read during its visit only.
 * Holds about a megabyte, however large the file. Throws `FormatError`.
 */
export async function visitMat5(path: string, visit: (array: NumericArray) => Promise<void>): Promise<void> {
  await eachVariable(path, async (source, endianness) => {
    const array = await readNumericArray(source, endianness);
    if (array) await visit(array);
  });
}

/** Variables that a file may have. */
const MOST_VARIABLES = 1000;

/**
 * Calls `visit` with each variable of the file: the source stands after the tag of its matrix element.
 * @param most decompressed bytes of all variables together; as many as there are when left out
 */
export async function eachVariable(
  path: string,
  visit: (source: ByteSource, endianness: Endianness) => Promise<void>,
  most?: number,
): Promise<void> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    const { endianness, bytes } = await readHeader(file, path);
    let position = bytes;
    let left = most;
    for (let variables = 0; position < size; variables++) {
      if (variables === MOST_VARIABLES)
        throw new FormatError(path, `has more than ${MOST_VARIABLES} variables`);
      const tag = await topLevelTag(file, path, position, endianness);
      const start = position + TAG_BYTES;
      position = start + tag.bytes;
      if (position > size) {
        throw new FormatError(path, `is truncated: it has ${size} bytes, and needs at least ${position}`);
      }
      if (tag.bytes === 0) continue;
      const range = { start, end: position };
      const came = await visitElement(path, tag, { range, most: left }, endianness, visit);
      if (left !== undefined) left -= came;
    }
  } finally {
    await file.close();
  }
}

async function topLevelTag(
  file: FileHandle,
  path: string,
  position: number,
  endianness: Endianness,
): Promise<ElementTag> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(TAG_BYTES), 0, TAG_BYTES, position);
  if (bytesRead < TAG_BYTES) throw new FormatError(path, 'is truncated in the middle of a tag');
  const word = (at: number) => (endianness === 'little' ? buffer.readUInt32LE(at) : buffer.readUInt32BE(at));
  const type = word(0);
  if (type !== TYPE.matrix && type !== TYPE.compressed) {
    throw new FormatError(path, `has an element of type ${type} at byte ${position}; it is damaged`);
  }
  return { type, bytes: word(4), small: undefined };
}

/** Returns how many (decompressed) bytes the element had. */
async function visitElement(
  path: string,
  tag: ElementTag,
  options: ByteSourceOptions,
  endianness: Endianness,
  visit: (source: ByteSource, endianness: Endianness) => Promise<void>,
): Promise<number> {
  const compressed = tag.type === TYPE.compressed;
  const source = new ByteSource(path, compressed ? 'zlib' : 'none', options);
  try {
    if (!compressed) {
      await visit(source, endianness);
      return source.position;
    }
    const inner = await readTag(source, endianness);
    if (inner.type !== TYPE.matrix)
      throw new FormatError(path, `has a compressed element of type ${inner.type}`);
    await visit(source, endianness);
    const rest = TAG_BYTES + inner.bytes - source.position;
    if (rest < 0) throw new FormatError(path, 'has an array that is longer than it says; it is damaged');
    await source.skip(rest);
    await source.end();
    return source.position;
  } finally {
    await source.close();
  }
}

/** Reads a matrix up to its data: array flags, dimensions, name, then the tag of the real part. */
async function readNumericArray(
  source: ByteSource,
  endianness: Endianness,
): Promise<NumericArray | undefined> {
  const { matrixClass, shape, name } = await readMatrixHead(source, endianness);
  if (matrixClass < MATRIX_CLASS.firstNumeric || matrixClass > MATRIX_CLASS.lastNumeric) return undefined;
  const data = await readTag(source, endianness);
  const storage = Object.values(STORAGE).find((one) => one.type === data.type);
  const count = shape.reduce((product, length) => product * length, 1);
  if (storage === undefined || data.bytes !== count * storage.bytes) {
    throw new FormatError(source.path, `has an array '${name}' whose size and shape disagree; it is damaged`);
  }
  const some = (limit: number) =>
    data.small ? Promise.resolve(data.small.subarray(0, limit)) : source.some(limit);
  const numbers = async () => storage.decode(data.small ?? (await source.read(data.bytes)), endianness);
  return { name, shape, storage, bytes: data.bytes, some, numbers };
}

/** What every matrix begins with: array flags, dimensions, name. */
export async function readMatrixHead(source: ByteSource, endianness: Endianness) {
  const flags = STORAGE.uint32.decode(await smallContent(source, endianness), endianness);
  const shape = [...STORAGE.int32.decode(await smallContent(source, endianness), endianness)];
  const name = (await smallContent(source, endianness)).toString('latin1');
  return { matrixClass: (flags[0] ?? 0) & 0xff, shape, name };
}

/** The content of a short sub-element, and the padding after it. */
export async function smallContent(source: ByteSource, endianness: Endianness): Promise<Buffer> {
  const tag = await readTag(source, endianness);
  if (tag.small) return tag.small;
  if (tag.bytes > MAX_SMALL_CONTENT)
    throw new FormatError(source.path, 'has an unlikely array header; it is damaged');
  const content = await source.read(tag.bytes);
  await source.skip(-tag.bytes & 7);
  return content;
}

/** Flags, dimensions, names and lists of fields are short; refuses a damaged size before memory is taken for it. */
const MAX_SMALL_CONTENT = 4096;
