import { UserError } from './errors.js';
import { NUMBER_TYPES } from './number-types.js';
import { shorten } from './shorten.js';
import type { StoredTensor } from './stored-tensor.js';
import type { Tensor } from './tensor.js';
import type { ZipFile } from './zip.js';

/**
 * NumPy's `.npz`: a zip archive of `.npy` files, one per array
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). An `.npy` is a magic text, a version,
 * the length of the header, a header that is a Python dictionary as text, and the raw values.
 */

/** `\x93NUMPY` */
const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
const EXTENSION = '.npy';
const REMEDY = 'Write the file again with numpy.savez, as float32 arrays.';

/** NumPy's names of the types that are read, little-endian. */
const TYPES: Readonly<Record<string, string>> = {
  '<f2': 'F16',
  '<f4': 'F32',
  '<f8': 'F64',
  '<i4': 'I32',
  '<i8': 'I64',
};

interface Header {
  readonly type: string | undefined;
  readonly columnMajor: boolean;
  readonly shape: readonly number[];
  /** Where the values begin. */
  readonly dataStart: number;
}

/**
 * The arrays of an archive under their names without `.npy`, read in single precision and row-major order when they are
 * asked for. Throws a UserError (data) that begins with `where`, the file's name, if one is none of NumPy's.
 */
export function openNpz(files: ReadonlyMap<string, ZipFile>, where: string): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const [file, content] of files) {
    const name = file.endsWith(EXTENSION) ? file.slice(0, -EXTENSION.length) : file;
    tensors.set(name, openNpy(content, `${where}: '${shorten(name)}'`));
  }
  return tensors;
}

function openNpy(file: ZipFile, where: string): StoredTensor {
  const fault = (what: string) => new UserError('data', `${where} ${what}`, REMEDY);
  const header = readHeader(file.beginning());
  if (header === undefined) throw fault('is not an array of NumPy');
  const { type, shape, columnMajor, dataStart } = header;
  const read = (): Tensor => {
    const numbers = type !== undefined && Object.hasOwn(TYPES, type) ? NUMBER_TYPES[TYPES[type]!] : undefined;
    if (!numbers?.read) {
      throw fault(`is of type ${type ?? 'object'}, not one of ${Object.keys(TYPES).join(', ')}`);
    }
    const size = shape.reduce((product, n) => product * n, numbers.bits / 8);
    const bytes = file.bytes - dataStart;
    if (bytes !== size) throw fault(`[${shape.join(', ')}] should take ${size} bytes, not ${bytes}`);
    const data = numbers.read(new Uint8Array(file.read().subarray(dataStart)).buffer);
    return { shape, data: columnMajor ? rowMajor(data, shape) : data };
  };
  return { shape, read };
}

/** Undefined if it is none, or longer than that of an array of numbers. */
function readHeader(bytes: Uint8Array): Header | undefined {
  if (bytes.length < 12 || !MAGIC.equals(bytes.subarray(0, MAGIC.length))) return undefined;
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // From version 2 on the length has 32 bits instead of 16.
  const wide = bytes[6]! > 1;
  const start = wide ? 12 : 10;
  const dataStart = start + (wide ? data.getUint32(8, true) : data.getUint16(8, true));
  if (dataStart > bytes.length) return undefined;
  const text = Buffer.from(bytes.subarray(start, dataStart)).toString('latin1');
  const order = /'fortran_order': *(True|False)/.exec(text)?.[1];
  const sizes = /'shape': *\(([\d, ]*)\)/.exec(text)?.[1];
  if (order === undefined || sizes === undefined) return undefined;
  return {
    type: /'descr': *'([^']*)'/.exec(text)?.[1],
    columnMajor: order === 'True',
    shape: (sizes.match(/\d+/g) ?? []).map(Number),
    dataStart,
  };
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
