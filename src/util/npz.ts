import { UserError } from './errors.js';
import { NUMBER_TYPES } from './number-types.js';
import type { NamedTensors, Tensor } from './tensor.js';

/**
 * NumPy's `.npz`: a zip archive of `.npy` files, one per array
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). An `.npy` is a magic text, a version,
 * the length of the header, a header that is a Python dictionary as text, and the raw values.
 */

/** `\x93NUMPY` */
const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
const EXTENSION = '.npy';

/** NumPy's names of the types, little-endian. */
const TYPES: Readonly<Record<string, string>> = {
  '<f2': 'F16',
  '<f4': 'F32',
  '<f8': 'F64',
  '<i4': 'I32',
  '<i8': 'I64',
};

/**
 * Every array of an archive, in single precision and row-major order, under its name without `.npy`.
 * Throws a UserError (data) that begins with `where`, the file's name, if it is damaged or holds other types.
 */
export function decodeNpz(files: ReadonlyMap<string, Uint8Array>, where: string): NamedTensors {
  const tensors = new Map<string, Tensor>();
  for (const [file, bytes] of files) {
    const name = file.endsWith(EXTENSION) ? file.slice(0, -EXTENSION.length) : file;
    tensors.set(name, decodeNpy(bytes, `${where}: '${name}'`));
  }
  return tensors;
}

function decodeNpy(bytes: Uint8Array, where: string): Tensor {
  const fault = (what: string) =>
    new UserError('data', `${where} ${what}`, 'Write the file again with numpy.savez, as float32 arrays.');
  const { header, dataStart } = readHeader(bytes) ?? {};
  if (header === undefined) throw fault('is not an array of NumPy');
  const type = /'descr': *'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order': *(True|False)/.exec(header)?.[1];
  const sizes = /'shape': *\(([\d, ]*)\)/.exec(header)?.[1];
  if (order === undefined || sizes === undefined) throw fault('has no valid header');
  if (type === undefined || !Object.hasOwn(TYPES, type)) {
    throw fault(`is of type ${type ?? 'object'}, not one of ${Object.keys(TYPES).join(', ')}`);
  }
  const shape = (sizes.match(/\d+/g) ?? []).map(Number);
  const { bytes: width, read } = NUMBER_TYPES[TYPES[type]!]!;
  const size = shape.reduce((product, n) => product * n, width);
  const raw = new Uint8Array(bytes.subarray(dataStart));
  if (raw.length !== size) throw fault(`[${shape.join(', ')}] should take ${size} bytes, not ${raw.length}`);
  const data = read(raw.buffer);
  return { shape, data: order === 'True' ? rowMajor(data, shape) : data };
}

function readHeader(bytes: Uint8Array): { header: string; dataStart: number } | undefined {
  if (bytes.length < 12 || !MAGIC.equals(bytes.subarray(0, MAGIC.length))) return undefined;
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // From version 2 on the length has 32 bits instead of 16.
  const wide = bytes[6]! > 1;
  const start = wide ? 12 : 10;
  const dataStart = start + (wide ? data.getUint32(8, true) : data.getUint16(8, true));
  return { header: Buffer.from(bytes.subarray(start, dataStart)).toString('latin1'), dataStart };
}

/** Reorders values whose first index runs fastest (Fortran's order). */
function rowMajor(values: Float32Array, shape: readonly number[]): Float32Array {
  const result = new Float32Array(values.length);
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, n) => product * n, 1));
  const index = shape.map(() => 0);
  for (let to = 0; to < result.length; to++) {
    result[to] = values[index.reduce((from, i, axis) => from + i * strides[axis]!, 0)]!;
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
  return result;
}
