import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readSvhn } from '../../src/datasets/svhn.js';
import { type MatVariable, writeMat5 } from './support/mat5-writer.js';
import { type Tiny, tinySvhn } from './support/tiny.js';

let folder: string;
let tiny: Tiny;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'svhn-'));
  tiny = tinySvhn();
});
beforeEach(async () => {
  for (const [name, content] of tiny.unpacked) await writeFile(join(folder, name), content);
});
afterAll(() => rm(folder, { recursive: true }));

const images: MatVariable = {
  name: 'X',
  shape: [32, 32, 3, 3],
  matrixClass: 9,
  type: 2,
  values: new Uint8Array(3 * 3072),
};
const labels: MatVariable = { name: 'y', shape: [3, 1], matrixClass: 6, type: 9, values: [1, 10, 9] };

async function readWithTest(variables: MatVariable[]) {
  await writeFile(join(folder, 'test_32x32.mat'), writeMat5(variables));
  return readSvhn(tiny.definition, folder);
}

describe('SVHN', () => {
  it('has 10 for the digit 0', async () => {
    expect([...(await readWithTest([images, labels])).test.labels]).toEqual([1, 0, 9]);
  });

  it('may have its arrays in any order', async () => {
    expect([...(await readWithTest([labels, images])).test.labels]).toEqual([1, 0, 9]);
  });

  it('may have one image only, whose last dimension MATLAB drops', async () => {
    const single = [
      { ...images, shape: [32, 32, 3], values: new Uint8Array(3072).fill(7) },
      { ...labels, shape: [1, 1], values: [4] },
    ];
    await writeFile(join(folder, 'test_32x32.mat'), writeMat5(single));
    const { test } = await readSvhn({ ...tiny.definition, testCount: 1 }, folder);
    expect([...test.labels]).toEqual([4]);
    expect(test.images.every((byte) => byte === 7)).toBe(true);
  });

  it.each([
    ['an array is missing', [images], "has no array 'y'"],
    ['an array has another name', [{ ...images, name: 'x' }, labels], "has no array 'X'"],
    ['a label is 0', [images, { ...labels, values: [0, 1, 2] }], 'image 0 has label 0, expected 1 to 10'],
    ['a label is 11', [images, { ...labels, values: [1, 11, 2] }], 'image 1 has label 11, expected 1 to 10'],
    ['a label is no whole number', [images, { ...labels, values: [1, 1.5, 2] }], 'image 1 has label 1.5'],
    [
      'labels are missing',
      [images, { ...labels, shape: [2, 1], values: [1, 2] }],
      'has 3 images and 2 labels',
    ],
    [
      'there are too many labels',
      [images, { ...labels, shape: [4, 1], values: [1, 2, 3, 4] }],
      'has 4 labels',
    ],
    [
      'there are too many images',
      [{ ...images, shape: [32, 32, 3, 4], values: new Uint8Array(4 * 3072) }, labels],
      'has an X of shape 32×32×3×4, expected uint8 32×32×3 with at most 3 images',
    ],
    [
      'an array has more dimensions',
      [
        { ...images, shape: [32, 32, 3, 1, 3] },
        { ...labels, shape: [1, 1], values: [1] },
      ],
      'has an X of shape 32×32×3×1×3',
    ],
    [
      'there are too few images',
      [
        { ...images, shape: [32, 32, 3, 2], values: new Uint8Array(2 * 3072) },
        { ...labels, shape: [2, 1], values: [1, 2] },
      ],
      'holds 2 images, expected 3',
    ],
    [
      'images are numbers of another kind',
      [{ ...images, matrixClass: 6, type: 9 as const }, labels],
      'has an X of shape 32×32×3×3, expected uint8',
    ],
  ])('is refused when %s', async (_, variables, message) => {
    await expect(readWithTest(variables as MatVariable[])).rejects.toThrow(message);
  });
});
