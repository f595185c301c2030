import { ByteSource } from './byte-source.js';
import { FormatError } from './format-error.js';

/** An array of unsigned bytes, row-major. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;

/**
 * Reads an IDX file of unsigned bytes, plain or gzipped (by its name's ending).
 * Layout (LeCun's MNIST page): two zero bytes, element type, number of dimensions, each dimension as a
 * big-endian u32, then the data. Throws `FormatError`.
 */
export async function readIdx(path: string): Promise<IdxArray> {
  const source = new ByteSource(path, path.endsWith('.gz') ? 'gzip' : 'none');
  try {
    const magic = await source.read(4);
    if (magic.readUInt16BE(0) !== 0 || magic[2] !== UNSIGNED_BYTE || magic[3] === 0) {
      throw new FormatError(path, 'is not an IDX file of unsigned bytes');
    }
    const dimensions = await source.read(4 * magic[3]!);
    const shape = Array.from({ length: magic[3]! }, (_, i) => dimensions.readUInt32BE(4 * i));
    const size = shape.reduce((product, length) => product * length, 1);
    if (size > MAX_BYTES) throw new FormatError(path, `has an unlikely shape, ${shape.join('×')}`);
    const data = new Uint8Array(size);
    await source.fill(data);
    await source.end();
    return { shape, data };
  } finally {
    await source.close();
  }
}

/** Refuses a damaged header before memory is taken for it. */
const MAX_BYTES = 2 ** 31;
