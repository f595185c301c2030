import { crc32 } from 'node:zlib';
import type { NamedTensors } from '../../src/util/tensor.js';

/** An archive as numpy.savez writes it: uncompressed, arrays of single precision. */
export function encodeNpz(tensors: NamedTensors): Uint8Array {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, { shape, data }] of tensors) {
    const sizes = shape.map((size) => `${size},`).join(' ');
    const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${sizes}), }\n`;
    const length = Buffer.alloc(2);
    length.writeUInt16LE(header.length);
    const values = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const npy = Buffer.concat([
      Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
      length,
      Buffer.from(header),
      values,
    ]);
    const file = Buffer.from(`${name}.npy`);
    // Version 2.0, no flags, stored, midnight of the first day; then checksum and sizes.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(npy), 10);
    common.writeUInt32LE(npy.length, 14);
    common.writeUInt32LE(npy.length, 18);
    common.writeUInt16LE(file.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00'), common, place, file);
    files.push(Buffer.from('PK\x03\x04'), common, file, npy);
    at += 4 + common.length + file.length + npy.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(tensors.size, 4);
  end.writeUInt16LE(tensors.size, 6);
  end.writeUInt32LE(Buffer.concat(directory).length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...files, ...directory, Buffer.from('PK\x05\x06'), end]);
}
