import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/util/errors.js';
import { encodeSafetensors } from '../../src/util/safetensors.js';
import type { NamedTensors } from '../../src/util/tensor.js';
import { openTensorFile } from '../../src/util/tensor-file.js';

const fixture = (name: string) => readFileSync(new URL(`../fixtures/tensor-files/${name}`, import.meta.url));

function decodeTensorFile(bytes: Uint8Array, name: string): { tensors: NamedTensors } {
  const { tensors } = openTensorFile(bytes, name);
  return { tensors: new Map([...tensors].map(([key, stored]) => [key, stored.read()])) };
}

const cube = { shape: [2, 3, 4], data: Float32Array.from({ length: 24 }, (_, i) => i) };
const halves = [0, -0, 1, -2.5, 65504, 2 ** -14, 2 ** -24, Infinity, -Infinity, 3.140625];

describe("NumPy's archives", () => {
  test.each(['stored.npz', 'deflated.npz'])('%s reads as NumPy wrote it', (name) => {
    const { tensors } = decodeTensorFile(fixture(name), name);
    expect(Object.fromEntries(tensors)).toEqual({
      f32: cube,
      f64: { shape: [3], data: Float32Array.of(0.1, Infinity, -3) },
      f16: { shape: [10], data: Float32Array.from(halves) },
      i32: { shape: [2, 1], data: Float32Array.of(-7, 2 ** 24) },
      'features.norm0.num_batches_tracked': { shape: [], data: Float32Array.of(1234567) },
      fortran: cube,
      empty: { shape: [0, 3], data: new Float32Array() },
    });
  });

  test.each([
    ['complex.npz', "complex.npz: 'a' is of type <c8, not one of <f2, <f4"],
    ['big-endian.npz', "'a' is of type >f4"],
  ])('%s is refused', (name, message) => {
    const decode = () => decodeTensorFile(fixture(name), name);
    expect(decode).toThrow(UserError);
    expect(decode).toThrow(message);
  });

  test.each(['stored.npz', 'deflated.npz'])('every truncation of %s is refused', (name) => {
    const bytes = fixture(name);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeTensorFile(bytes.subarray(0, length), name)).toThrow(UserError);
    }
  });

  test('a changed value is noticed', () => {
    const bytes = fixture('stored.npz');
    const at = bytes.indexOf(Buffer.from(cube.data.buffer));
    bytes[at + 4]! ^= 1;
    expect(() => decodeTensorFile(bytes, 'x.npz')).toThrow("x.npz: 'f32.npy' is damaged");
  });
});

test.each(['zip.pt', 'pickle.pt'])('%s, which PyTorch wrote, is refused with the way out', (name) => {
  expect(() => decodeTensorFile(fixture(name), name)).toThrow(
    expect.objectContaining({
      message: expect.stringContaining(`${name}: a pickle of PyTorch`),
      remedy: expect.stringContaining('docs/weights.md'),
    }),
  );
});

test('a safetensors file is read, also one whose header has the length 0x80', () => {
  const tensors = new Map([['x'.repeat(52), { shape: [1], data: Float32Array.of(7) }]]);
  const bytes = encodeSafetensors(tensors);
  expect(bytes[0]).toBe(0x80);
  expect(decodeTensorFile(bytes, 'x').tensors).toEqual(tensors);
});
