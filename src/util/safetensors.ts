import { UserError } from './errors.js';
import { NUMBER_TYPES } from './number-types.js';
import { isIntact } from './seal.js';
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
 * Reads a whole file. Other number types become single precision (integers beyond 2²⁴ are rounded).
 * Throws a UserError (data) that begins with `where`, the file's name, if the file breaks the format, or is sealed and
 * not what was sealed.
 */
export function decodeSafetensors(bytes: Uint8Array, where: string): SafetensorsFile {
  const { entries, metadata, dataStart } = readHeader(bytes, where);
  checkCoverage(entries, bytes.length - dataStart, where);
  if (!isIntact(bytes, metadata)) {
    throw new UserError(
      'data',
      `${where}: it is damaged: its content is not what was written`,
      'Copy it again. A run goes on from its checkpoint before this one with train --resume.',
    );
  }
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, shape, data_offsets }] of entries) {
    const raw = new Uint8Array(bytes.subarray(dataStart + data_offsets[0], dataStart + data_offsets[1]));
    tensors.set(name, { shape, data: NUMBER_TYPES[dtype]!.read(raw.buffer) });
  }
  return { tensors, metadata };
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
  let header: unknown;
  try {
    json = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(LENGTH_BYTES, dataStart));
    header = JSON.parse(json);
  } catch {
    throw fault(where, 'its header is not JSON');
  }
  if (!isObject(header)) throw fault(where, 'its header is not a JSON object');
  const twice = duplicateKey(json);
  if (twice !== undefined) throw fault(where, `its header has '${twice}' twice`);

  const { [METADATA]: metadata = {}, ...rest } = header;
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw fault(where, 'its metadata are not texts');
  }
  const entries = Object.entries(rest).map(([name, value]): [string, Entry] => [
    name,
    readEntry(name, value, where),
  ]);
  return { entries, metadata: metadata as Record<string, string>, dataStart };
}

function readEntry(name: string, value: unknown, where: string): Entry {
  if (!isObject(value)) throw fault(where, `tensor '${name}' has no description`);
  const { dtype, shape, data_offsets, ...unknown } = value;
  if (Object.keys(unknown).length > 0) throw fault(where, `tensor '${name}' has unknown properties`);
  if (typeof dtype !== 'string' || !Object.hasOwn(NUMBER_TYPES, dtype)) {
    const known = Object.keys(NUMBER_TYPES).join(', ');
    throw fault(where, `tensor '${name}' is of type ${JSON.stringify(dtype)}, not one of ${known}`);
  }
  if (!isSizes(shape)) throw fault(where, `tensor '${name}' has no valid shape`);
  if (!isSizes(data_offsets) || data_offsets.length !== 2)
    throw fault(where, `tensor '${name}' has no valid offsets`);
  const [start, end] = data_offsets as [number, number];
  const size = shape.reduce((product, n) => product * n, NUMBER_TYPES[dtype]!.bytes);
  if (end - start !== size) {
    throw fault(
      where,
      `tensor '${name}' ${dtype} [${shape.join(', ')}] should take ${size} bytes, not ${end - start}`,
    );
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
        `tensor '${name}' begins at byte ${data_offsets[0]} of the data, not at ${expected}`,
      );
    }
    expected = data_offsets[1];
  }
  if (expected !== dataBytes) throw fault(where, `holds ${dataBytes} bytes of data, not ${expected}`);
}

/** The first key that an object in the text has twice; JSON.parse would keep the last silently. */
function duplicateKey(json: string): string | undefined {
  const scopes: Set<string>[] = [];
  for (const [token, key] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') scopes.push(new Set());
    else if (token === '}') scopes.pop();
    else if (key !== undefined) {
      const name = JSON.parse(key) as string;
      const scope = scopes.at(-1)!;
      if (scope.has(name)) return name;
      scope.add(name);
    }
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}
