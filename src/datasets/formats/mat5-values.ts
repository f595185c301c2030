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

/**
 * Reads whole variables of a MAT v5 file: numbers, text, cells and structs, nested as they are. For small files;
 * other variables (sparse, objects) are passed over. Throws `FormatError`.
 */
export async function readMat5Values(path: string): Promise<Map<string, MatValue>> {
  const variables = new Map<string, MatValue>();
  await eachVariable(path, async (source, endianness) => {
    const head = await readMatrixHead(source, endianness);
    const value = await readContent(source, endianness, head);
    if (value) variables.set(head.name, value);
  });
  return variables;
}

type Head = Awaited<ReturnType<typeof readMatrixHead>>;

/** Reads what follows a matrix's head; undefined for a kind that is not read. */
async function readContent(
  source: ByteSource,
  endianness: Endianness,
  head: Head,
): Promise<MatValue | undefined> {
  const { matrixClass, shape } = head;
  const count = shape.reduce((product, length) => product * length, 1);
  if (matrixClass === MATRIX_CLASS.struct) {
    return { kind: 'struct', shape, elements: await readStructs(source, endianness, count) };
  }
  if (matrixClass === MATRIX_CLASS.cell) {
    const cells: MatValue[] = [];
    while (cells.length < count) cells.push(await readMatrix(source, endianness));
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
async function readStructs(source: ByteSource, endianness: Endianness, count: number): Promise<MatStruct[]> {
  const [length = 0] = STORAGE.int32.decode(await smallContent(source, endianness), endianness);
  const { content } = await readData(source, endianness);
  if (length <= 0 || content.length % length !== 0) {
    throw new FormatError(source.path, 'has a struct without valid field names; it is damaged');
  }
  const names = Array.from({ length: content.length / length }, (_, i) =>
    content.toString('latin1', i * length, (i + 1) * length).replace(/\0.*$/s, ''),
  );
  const elements: MatStruct[] = [];
  while (elements.length < count) {
    const fields = new Map<string, MatValue>();
    for (const name of names) fields.set(name, await readMatrix(source, endianness));
    elements.push(fields);
  }
  return elements;
}

const EMPTY: MatValue = { kind: 'numbers', shape: [0, 0], values: new Float64Array(0) };

async function readMatrix(source: ByteSource, endianness: Endianness): Promise<MatValue> {
  const tag = await readTag(source, endianness);
  if (tag.type !== TYPE.matrix) throw new FormatError(source.path, `has a value of type ${tag.type}`);
  if (tag.bytes === 0) return EMPTY;
  const head = await readMatrixHead(source, endianness);
  const value = await readContent(source, endianness, head);
  if (value) return value;
  throw new FormatError(source.path, `has a value of MATLAB class ${head.matrixClass}, which is not read`);
}

const UTF8 = 16;
const UTF16 = 17;

/** Text is stored as UTF-8, UTF-16, or one number a character. */
async function readText(source: ByteSource, endianness: Endianness): Promise<string> {
  const { type, content } = await readData(source, endianness);
  if (type === UTF8) return content.toString('utf8');
  const codes = type === UTF16 ? STORAGE.uint16 : Object.values(STORAGE).find((one) => one.type === type);
  if (codes === undefined) throw new FormatError(source.path, `has text of type ${type}, which is not read`);
  return Array.from(codes.decode(content, endianness), (code) => String.fromCharCode(code)).join('');
}

/** Refuses a damaged size before memory is taken for it. */
const MAX_DATA = 2 ** 28;

/** The data of an element, and the padding behind it. */
async function readData(source: ByteSource, endianness: Endianness) {
  const tag = await readTag(source, endianness);
  if (tag.small) return { type: tag.type, content: tag.small };
  if (tag.bytes > MAX_DATA) throw new FormatError(source.path, 'has an unlikely size; it is damaged');
  const content = await source.read(tag.bytes);
  await source.skip(-tag.bytes & 7);
  return { type: tag.type, content };
}
