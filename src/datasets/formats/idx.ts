import { ByteSource } from './byte-source.js';
import { FormatError } from './format-error.js';

const UNSIGNED_BYTE = 0x08;

/**
 * Reads an IDX file of unsigned bytes, plain or gzipped (by its name's ending), that must have this shape. Row-major.
 * Layout (LeCun's MNIST page): two zero bytes, element type, number of dimensions, each dimension as a
 * big-endian u32, then the data. Throws `FormatError`.
 */
export async function readIdx(path: string, shape: readonly number[]): Promise<Uint8Array> {
  const source = new ByteSource(path, path.endsWith('.gz') ? 'gzip' : 'none');
  try {
    const magic = await source.read(4);
    if (magic.readUInt16BE(0) !== 0 || magic[2] !== UNSIGNED_BYTE || magic[3] === 0) {
      throw new FormatError(path, 'is not an IDX file of unsigned bytes');
    }
    const expected = shape.join('×');
    if (magic[3] !== shape.length) {
      throw new FormatError(path, `has ${magic[3]} dimensions, expected ${expected}`);
    }
    const dimensions = await source.read(4 * shape.length);
    const found = shape.map((_, i) => dimensions.readUInt32BE(4 * i)).join('×');
    if (found !== expected) throw new FormatError(path, `has shape ${found}, expected ${expected}`);
    const data = new Uint8Array(shape.reduce((product, length) => product * length, 1));
    await source.fill(data);
    await source.end();
    return data;
  } finally {
    await source.close();
  }
}
