import type { ByteSource } from './byte-source.js';
import { FormatError } from './format-error.js';
import { eachVariable, MATRIX_CLASS, readMatrixHead, smallContent, TYPE } from './mat5.js';
import { type Endianness, readTag, STORAGE } from './mat5-elements.js';

/** A value of a MAT-file. Shapes and orders are MATLAB's: the first dimension varies fastest. */
export type MatValue =
  | { readonly kind: 'numbers'; readonly shape: readonly number[]; readonly values: Float64Array }
  | { readonly kind: 'text'; readonly shape: readonly number[]; readonly text: string }
  | { readonly kind: 'cell'; readonly shape: readonly number[]; readonly cells: readonly MatValue[] }
  | { readonly kind: 'struct'; readonly shape: readonly number[]; readonly elements: readonly MatStruct[] };

/** One element of a struct array: its fields by name. */
export type MatStruct = ReadonlyMap<string, MatValue>;

/** Decompressed bytes of all variables, and so of each; and how deep values may lie in one another. */
const MOST_BYTES = 2 ** 23;
const MOST_DEPTH = 16;

/**
 * Reads whole variables of a MAT v5 file: numbers, text, cells and structs, nested as they are. For small files, of up
 * to 8 MB when decompressed; other variables (sparse, objects) are passed over. Throws `FormatError`.
 */
export async function readMat5Values(path: string): Promise<Map<string, MatValue>> {
  const variables = new Map<string, MatValue>();
  const visit = async (source: ByteSource, endianness: Endianness) => {
    const head = await readMatrixHead(source, endianness);
    const value = await readContent(source, endianness, head, 0);
    if (value) variables.set(head.name, value);
  };
  await eachVariable(path, visit, MOST_BYTES);
  return variables;
}

type Head = Awaited<ReturnType<typeof readMatrixHead>>;

/** Reads what follows a matrix's head; undefined for a kind that is not read. */
async function readContent(
  source: ByteSource,
  endianness: Endianness,
  head: Head,
  depth: number,
): Promise<MatValue | undefined> {
  const { matrixClass, shape } = head;
  if (depth > MOST_DEPTH) throw new FormatError(source.path, 'has values nested too deep; it is damaged');
  const count = shape.reduce((product, length) => product * length, 1);
  if (matrixClass === MATRIX_CLASS.struct) {
    return { kind: 'struct', shape, elements: await readStructs(source, endianness, count, depth) };
  }
  if (matrixClass === MATRIX_CLASS.cell) {
    const cells: MatValue[] = [];
    while (cells.length < count) cells.push(await readMatrix(source, endianness, depth + 1));
    return { kind: 'cell', shape, cells };
  }
  if (matrixClass === MATRIX_CLASS.char)
    return { kind: 'text', shape, text: await readText(source, endianness) };
  if (matrixClass < MATRIX_CLASS.firstNumeric || matrixClass > MATRIX_CLASS.lastNumeric) return undefined;
  const { type, content } = await readData(source, endianness);
  const storage = Object.values(STORAGE).find((one) => one.type === type);
  if (storage === undefined || content.length !== count * storage.bytes) {
    throw new FormatError(source.path, 'has an array whose size and shape disagree; it is damaged');
  }
  return { kind: 'numbers', shape, values: storage.decode(content, endianness) };
}

/** Field names stand once, padded with zeros to one length; then come the fields of each element in turn. */
async function readStructs(
  source: ByteSource,
  endianness: Endianness,
  count: number,
  depth: number,
): Promise<MatStruct[]> {
  const [length = 0] = STORAGE.int32.decode(await smallContent(source, endianness), endianness);
  const content = await smallContent(source, endianness);
  // Without a field an element takes no bytes, and there could be any number of them.
  if (length <= 0 || content.length === 0 || content.length % length !== 0) {
    throw new FormatError(source.path, 'has a struct without valid field names; it is damaged');
  }
  const names = Array.from({ length: content.length / length }, (_, i) =>
    content.toString('latin1', i * length, (i + 1) * length).replace(/\0.*$/s, ''),
  );
  const elements: MatStruct[] = [];
  while (elements.length < count) {
    const fields = new Map<string, MatValue>();
    for (const name of names) fields.set(name, await readMatrix(source, endianness, depth + 1));
    elements.push(fields);
  }
  return elements;
}

const EMPTY: MatValue = { kind: 'numbers', shape: [0, 0], values: new Float64Array(0) };

async function readMatrix(source: ByteSource, endianness: Endianness, depth: number): Promise<MatValue> {
  const tag = await readTag(source, endianness);
  if (tag.type !== TYPE.matrix) throw new FormatError(source.path, `has a value of type ${tag.type}`);
  if (tag.bytes === 0) return EMPTY;
  const head = await readMatrixHead(source, endianness);
  const value = await readContent(source, endianness, head, depth);
  if (value) return value;
  throw new FormatError(source.path, `has a value of MATLAB class ${head.matrixClass}, which is not read`);
}

const UTF8 = 16;
const UTF16 = 17;

/** Text is stored as UTF-8, as UTF-16, or as numbers of 8 or 16 bits, one for each character. */
async function readText(source: ByteSource, endianness: Endianness): Promise<string> {
  const { type, content } = await readData(source, endianness);
  if (type === UTF8) return content.toString('utf8');
  if (type === STORAGE.int8.type || type === STORAGE.uint8.type) return content.toString('latin1');
  if (type !== UTF16 && type !== STORAGE.int16.type && type !== STORAGE.uint16.type) {
    throw new FormatError(source.path, `has text of type ${type}, which is not read`);
  }
  const whole = content.subarray(0, content.length & ~1);
  return (endianness === 'little' ? whole : Buffer.from(whole).swap16()).toString('utf16le');
}

/** The data of an element, and the padding after it. */
async function readData(source: ByteSource, endianness: Endianness) {
  const tag = await readTag(source, endianness);
  if (tag.small) return { type: tag.type, content: tag.small };
  if (tag.bytes > MOST_BYTES) throw new FormatError(source.path, 'has an unlikely size; it is damaged');
  const content = await source.read(tag.bytes);
  await source.skip(-tag.bytes & 7);
  return { type: tag.type, content };
}
