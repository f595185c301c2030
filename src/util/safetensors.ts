import { UserError } from './errors.js';
import { NUMBER_TYPES, READABLE_TYPES } from './number-types.js';
import { isIntact } from './seal.js';
import { shorten, shortenValue } from './shorten.js';
import type { StoredTensor, StoredTensors } from './stored-tensor.js';
import type { NamedTensors, Tensor } from './tensor.js';

/**
 * The safetensors format (https://github.com/huggingface/safetensors): the length of the header (64 bits),
 * a JSON header that gives every tensor's type, shape and place, and the raw values. All little-endian, as
 * is every machine that Node runs on here.
 */

/** A tensor of 64-bit integers; PyTorch counts batches (`num_batches_tracked`) with them. */
export interface Int64Tensor {
  readonly shape: readonly number[];
  readonly data: BigInt64Array;
}

export type StorableTensors = ReadonlyMap<string, Tensor | Int64Tensor>;

export interface SafetensorsFile {
  /** Every tensor as single precision, in the header's order. */
  readonly tensors: NamedTensors;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte and end, counted from the end of the header. */
  readonly data_offsets: readonly [number, number];
}

const LENGTH_BYTES = 8;
const METADATA = '__metadata__';
const PROPERTIES = new Set(['dtype', 'shape', 'data_offsets']);
/** More than any program gives, so that a name costs next to nothing wherever it is looked at or printed. */
const MAX_NAME_LENGTH = 1000;
/** More than any network has, momentum included: a ResNet of 1,202 layers has 10,000. */
const MAX_TENSORS = 100_000;
/** What NumPy and PyTorch allow. */
const MAX_DIMENSIONS = 64;
/** How deep objects and lists lie in a header: the header, a tensor, its shape. */
const MAX_DEPTH = 3;

/** The limit of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;

/** A whole file. Values of 8 bytes come before those of 4, so all are aligned. */
export function encodeSafetensors(
  tensors: StorableTensors,
  metadata: Record<string, string> = {},
): Uint8Array {
  const layout = [...tensors].sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const offsets = new Map<string, readonly [number, number]>();
  let end = 0;
  for (const [name, { data }] of layout) {
    offsets.set(name, [end, end + data.byteLength]);
    end += data.byteLength;
  }

  const entries = [...tensors].map(([name, { shape, data }]): [string, Entry] => [
    name,
    { dtype: data instanceof Float32Array ? 'F32' : 'I64', shape, data_offsets: offsets.get(name)! },
  ]);
  const json = JSON.stringify(Object.fromEntries<unknown>([[METADATA, metadata], ...entries]));
  const header = Buffer.from(json);
  const headerBytes = Math.ceil(header.length / 8) * 8;

  const bytes = new Uint8Array(LENGTH_BYTES + headerBytes + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(header, LENGTH_BYTES);
  bytes.fill(0x20, LENGTH_BYTES + header.length, LENGTH_BYTES + headerBytes);
  for (const [name, { data }] of layout) {
    const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    bytes.set(raw, LENGTH_BYTES + headerBytes + offsets.get(name)![0]);
  }
  return bytes;
}

/**
 * What a file holds; values are read when they are asked for. Throws a UserError (data) that begins with `where`, the
 * file's name, if the file breaks the format, or is sealed and not what was sealed.
 */
export function openSafetensors(bytes: Uint8Array, where: string): StoredTensors {
  const { entries, metadata, dataStart } = readHeader(bytes, where);
  checkCoverage(entries, bytes.length - dataStart, where);
  if (!isIntact(bytes, metadata)) {
    throw new UserError(
      'data',
      `${where}: it is damaged: its content is not what was written`,
      'Copy it again. If it is the last checkpoint of a run, train --resume takes the one before it.',
    );
  }
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { dtype, shape, data_offsets }] of entries) {
    const read = () => {
      const type = NUMBER_TYPES[dtype]!;
      if (!type.read) throw unreadable(where, name, dtype);
      const [start, end] = data_offsets;
      const raw = new Uint8Array(bytes.subarray(dataStart + start, dataStart + end));
      return { shape, data: type.read(raw.buffer) };
    };
    tensors.set(name, { shape, read });
  }
  return { tensors, metadata };
}

/**
 * Reads a whole file. Other number types become single precision (integers beyond 2²⁴ are rounded). Throws as
 * `openSafetensors`.
 */
export function decodeSafetensors(bytes: Uint8Array, where: string): SafetensorsFile {
  const { tensors, metadata } = openSafetensors(bytes, where);
  return { tensors: new Map([...tensors].map(([name, stored]) => [name, stored.read()])), metadata };
}

function unreadable(where: string, name: string, dtype: string): UserError {
  return new UserError(
    'data',
    `${where}: tensor '${name}' is of type ${dtype}; what is read are ${READABLE_TYPES.join(', ')}`,
    'Save the weights as F32.',
  );
}

function fault(where: string, what: string): UserError {
  return new UserError(
    'data',
    `${where}: ${what}`,
    'The file is damaged or not a safetensors file: write or download it again.',
  );
}

function readHeader(bytes: Uint8Array, where: string) {
  if (bytes.length < LENGTH_BYTES) throw fault(where, `only ${bytes.length} bytes, too short for a header`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) throw fault(where, `its header would be ${length} bytes long`);
  const dataStart = LENGTH_BYTES + Number(length);
  if (dataStart > bytes.length) throw fault(where, `ends inside its header (of ${length} bytes)`);

  let json: string;
  try {
    json = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(LENGTH_BYTES, dataStart));
  } catch {
    throw fault(where, 'its header is not JSON');
  }
  const twice = duplicateKey(json, where);
  let header: unknown;
  try {
    header = JSON.parse(json);
  } catch {
    throw fault(where, 'its header is not JSON');
  }
  if (!isObject(header)) throw fault(where, 'its header is not a JSON object');
  if (twice !== undefined) throw fault(where, `its header has '${shorten(twice)}' twice`);

  const metadata = Object.hasOwn(header, METADATA) ? header[METADATA] : {};
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw fault(where, 'its metadata are not texts');
  }
  const entries: [string, Entry][] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name !== METADATA) entries.push([name, readEntry(name, value, where)]);
  }
  return { entries, metadata: metadata as Record<string, string>, dataStart };
}

function readEntry(name: string, value: unknown, where: string): Entry {
  const wrong = (what: string) => fault(where, `tensor '${shorten(name)}' ${what}`);
  if (name.length > MAX_NAME_LENGTH) throw wrong(`has a name of ${name.length} characters`);
  if (!isObject(value)) throw wrong('has no description');
  const { dtype, shape, data_offsets } = value;
  if (Object.keys(value).some((key) => !PROPERTIES.has(key))) throw wrong('has unknown properties');
  if (typeof dtype !== 'string' || !Object.hasOwn(NUMBER_TYPES, dtype)) {
    const known = Object.keys(NUMBER_TYPES).join(', ');
    throw wrong(`is of type ${shortenValue(dtype)}, not one of ${known}`);
  }
  if (!isSizes(shape) || shape.length > MAX_DIMENSIONS) throw wrong('has no valid shape');
  if (!isSizes(data_offsets) || data_offsets.length !== 2) throw wrong('has no valid offsets');
  const [start, end] = data_offsets as [number, number];
  const size = shape.reduce((product, n) => product * n, NUMBER_TYPES[dtype]!.bits) / 8;
  if (end - start !== size) {
    throw wrong(`${dtype} [${shape.join(', ')}] should take ${size} bytes, not ${end - start}`);
  }
  return { dtype, shape, data_offsets: [start, end] };
}

/** Tensors must cover the data exactly: no gap, no overlap, nothing left. */
function checkCoverage(entries: readonly [string, Entry][], dataBytes: number, where: string): void {
  const ordered = entries.toSorted(([, a], [, b]) => {
    return a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1];
  });
  let expected = 0;
  for (const [name, { data_offsets }] of ordered) {
    if (data_offsets[0] !== expected) {
      throw fault(
        where,
        `tensor '${shorten(name)}' begins at byte ${data_offsets[0]} of the data, not at ${expected}`,
      );
    }
    expected = data_offsets[1];
  }
  if (expected !== dataBytes) throw fault(where, `holds ${dataBytes} bytes of data, not ${expected}`);
}

/**
 * The first key that an object in the text has twice; JSON.parse would keep the last silently. Throws a UserError
 * (data) where the text is nested deeper or names more than a header does, which would cost much to parse.
 */
function duplicateKey(json: string, where: string): string | undefined {
  const scopes: Set<string>[] = [];
  let twice: string | undefined;
  for (let at = 0; at < json.length; at++) {
    const token = json[at]!;
    if (token === '{' || token === '[') {
      if (scopes.push(new Set()) > MAX_DEPTH)
        throw fault(where, 'its header is not that of a safetensors file');
    } else if (token === '}' || token === ']') {
      scopes.pop();
    } else if (token === '"') {
      const start = at;
      at = stringEnd(json, start);
      const scope = scopes.at(-1);
      if (scope === undefined || json[afterSpace(json, at + 1)] !== ':') continue;
      const key = unescaped(json.slice(start, at + 1));
      if (scope.has(key)) twice ??= key;
      if (scope.add(key).size > MAX_TENSORS) throw fault(where, `names more than ${MAX_TENSORS} tensors`);
    }
  }
  return twice;
}

/** Where the string that begins at `start` has its closing quotation mark; the text's end if it has none. */
function stringEnd(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at;
}

function afterSpace(json: string, start: number): number {
  let at = start;
  while (at < json.length && ' \t\r\n'.includes(json[at]!)) at++;
  return at;
}

/** The text of a JSON string, or, if that is none, what stands there. */
function unescaped(string: string): string {
  if (!string.includes('\\')) return string.slice(1, -1);
  try {
    return JSON.parse(string) as string;
  } catch {
    return string;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}
