import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/util/errors.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/util/safetensors.js';
import type { Tensor } from '../../src/util/tensor.js';

const fixture = readFileSync(new URL('../fixtures/safetensors/python.safetensors', import.meta.url));

const tensor = fc.array(fc.nat(4), { maxLength: 4 }).chain((shape) =>
  fc
    .float32Array({
      minLength: shape.reduce((a, b) => a * b, 1),
      maxLength: shape.reduce((a, b) => a * b, 1),
    })
    .map((data): Tensor => ({ shape, data })),
);
const name = fc.string({ unit: 'grapheme' }).filter((text) => text !== '__metadata__');

/** A file with this header, written as given, and `dataBytes` zeros after it. */
function file(header: string, dataBytes = 0, length = Buffer.byteLength(header)): Uint8Array {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(length));
  return Buffer.concat([size, Buffer.from(header), Buffer.alloc(dataBytes)]);
}

describe('round trip', () => {
  test('any tensors and metadata come back to the bit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, tensor)),
        fc.dictionary(fc.string(), fc.string()),
        (entries, metadata) => {
          const tensors = new Map(entries);
          const decoded = decodeSafetensors(encodeSafetensors(tensors, metadata), 'x');
          expect(decoded.metadata).toEqual(Object.fromEntries(Object.entries(metadata)));
          expect(new Set(decoded.tensors.keys())).toEqual(new Set(tensors.keys()));
          for (const [key, { shape, data }] of tensors) {
            expect(decoded.tensors.get(key)!.shape).toEqual(shape);
            expect(Buffer.from(decoded.tensors.get(key)!.data.buffer)).toEqual(
              Buffer.from(data.buffer, data.byteOffset, data.byteLength),
            );
          }
        },
      ),
      { seed: 1 },
    );
  });

  test('64-bit integers are stored as such, before single precision, all aligned', () => {
    const bytes = encodeSafetensors(
      new Map<string, Tensor | { shape: number[]; data: BigInt64Array }>([
        ['weight', { shape: [1], data: Float32Array.of(1.5) }],
        ['count', { shape: [], data: BigInt64Array.of(123n) }],
      ]),
    );
    expect(decodeSafetensors(bytes, 'x').tensors).toEqual(
      new Map([
        ['weight', { shape: [1], data: Float32Array.of(1.5) }],
        ['count', { shape: [], data: Float32Array.of(123) }],
      ]),
    );
    const headerBytes = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(headerBytes % 8).toBe(0);
    expect(new BigInt64Array(bytes.buffer, 8 + headerBytes, 1)[0]).toBe(123n);
  });

  test('decoded values do not share memory with the bytes', () => {
    const bytes = Buffer.from(encodeSafetensors(new Map([['a', { shape: [1], data: Float32Array.of(7) }]])));
    const { tensors } = decodeSafetensors(bytes, 'x');
    bytes.fill(0);
    expect(tensors.get('a')!.data).toEqual(Float32Array.of(7));
  });
});

test('reads every type as the reference implementation wrote it', () => {
  const values = [0, -0, 1, -2.5, 65504, 2 ** -14, 2 ** -24, Infinity, -Infinity, 3.140625];
  const { tensors, metadata } = decodeSafetensors(fixture, 'python.safetensors');
  expect(metadata).toEqual({ format: 'pt', note: 'ε = 1e-5' });
  expect(Object.fromEntries(tensors)).toEqual({
    f32: { shape: [2, 3], data: Float32Array.of(1.5, -2.25, 3, 0.1, 1e-38, -1e38) },
    f64: { shape: [3], data: Float32Array.of(0.1, Infinity, -3) },
    f16: { shape: [10], data: Float32Array.from(values) },
    bf16: { shape: [10], data: Float32Array.from([...values.slice(0, 4), 65536, ...values.slice(5)]) },
    i64: { shape: [], data: Float32Array.of(1234567) },
    i32: { shape: [2, 1], data: Float32Array.of(-7, 2 ** 24) },
    empty: { shape: [0, 3], data: new Float32Array() },
    'näme "quoted"': { shape: [1], data: Float32Array.of(42) },
  });
});

describe('refuses', () => {
  const a = (start: number, end: number, more = '') =>
    `{"dtype":"F32","shape":[${(end - start) / 4}],"data_offsets":[${start},${end}]${more}}`;

  test.each<[string, Uint8Array, string]>([
    ['no bytes', new Uint8Array(), 'only 0 bytes'],
    ['a huge header', file('{}', 0, 100_000_001), 'header would be 100000001 bytes'],
    ['a cut header', file('{}', 0, 3), 'ends inside its header'],
    ['a header that is not JSON', file('{'), 'header is not JSON'],
    ['a header that is not UTF-8', Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 0xff]), 'header is not JSON'],
    ['a header that is a list', file('[]'), 'not a JSON object'],
    ['a tensor that is not an object', file('{"a":1}'), "'a' has no description"],
    ['numbers as metadata', file('{"__metadata__":{"a":1}}'), 'metadata'],
    ['the same name twice', file(`{"a":${a(0, 4)},"a":${a(0, 4)}}`, 4), "has 'a' twice"],
    [
      'the same name twice, written differently',
      file(`{"a":${a(0, 4)},"\\u0061":${a(0, 4)}}`, 4),
      "'a' twice",
    ],
    ['the same property twice', file(`{"a":${a(0, 4, ',"dtype":"F32"')}}`, 4), "has 'dtype' twice"],
    ['unknown properties', file(`{"a":${a(0, 4, ',"x":1')}}`, 4), 'unknown properties'],
    [
      'an unknown type',
      file('{"a":{"dtype":"F8","shape":[4],"data_offsets":[0,4]}}', 4),
      'type "F8", not one of F32',
    ],
    [
      'a type of the prototype',
      file('{"a":{"dtype":"toString","shape":[],"data_offsets":[0,4]}}', 4),
      'type',
    ],
    ['a negative size', file('{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', 4), 'no valid shape'],
    ['a broken size', file('{"a":{"dtype":"F32","shape":[0.5],"data_offsets":[0,2]}}', 4), 'no valid shape'],
    ['one offset', file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[4]}}', 4), 'no valid offsets'],
    [
      'a shape that needs more',
      file('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', 4),
      'take 8 bytes, not 4',
    ],
    ['a gap at the start', file(`{"a":${a(4, 8)}}`, 8), 'begins at byte 4 of the data, not at 0'],
    ['a gap between tensors', file(`{"a":${a(0, 4)},"b":${a(8, 12)}}`, 12), "'b' begins at byte 8"],
    ['tensors that overlap', file(`{"a":${a(0, 8)},"b":${a(4, 8)}}`, 8), "'b' begins at byte 4"],
    ['a truncated file', file(`{"a":${a(0, 8)}}`, 7), 'holds 7 bytes of data, not 8'],
    ['bytes left over', file(`{"a":${a(0, 8)}}`, 9), 'holds 9 bytes of data, not 8'],
  ])('%s', (_, bytes, message) => {
    const decode = () => decodeSafetensors(bytes, 'weights.safetensors');
    expect(decode).toThrow(UserError);
    expect(decode).toThrow('weights.safetensors: ');
    expect(decode).toThrow(message);
  });

  test('every truncation of a file', () => {
    for (let length = 0; length < fixture.length; length++) {
      expect(() => decodeSafetensors(fixture.subarray(0, length), 'x')).toThrow(UserError);
    }
  });
});
