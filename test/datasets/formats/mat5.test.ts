import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/datasets/formats/format-error.js';
import { type NumericArray, visitMat5 } from '../../../src/datasets/formats/mat5.js';
import { element, type MatVariable, writeMat5 } from '../support/mat5-writer.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mat5-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Read {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: number[];
}

async function readAll(content: Buffer): Promise<Read[]> {
  const path = join(folder, 'file.mat');
  await writeFile(path, content);
  const arrays: Read[] = [];
  await visitMat5(path, async (array) => {
    arrays.push({ name: array.name, shape: array.shape, values: [...(await array.numbers())] });
  });
  return arrays;
}

const X: MatVariable = {
  name: 'X',
  shape: [2, 3, 2],
  matrixClass: 9,
  type: 2,
  values: [...Array(12).keys()],
};
const Y: MatVariable = {
  name: 'a longer name',
  shape: [3, 1],
  matrixClass: 6,
  type: 9,
  values: [1.5, -2, 1e300],
};
const SMALL: MatVariable = { name: 'y', shape: [1, 2], matrixClass: 6, type: 4, values: [10, 60_000] };
const EMPTY: MatVariable = { name: 'e', shape: [0, 0], matrixClass: 6, type: 9, values: [] };

describe('MAT v5', () => {
  it.each([
    { compressed: true, bigEndian: false },
    { compressed: false, bigEndian: false },
    { compressed: true, bigEndian: true },
    { compressed: false, bigEndian: true },
  ])('reads what was written, $compressed $bigEndian', async (options) => {
    const variables = [X, Y, SMALL, EMPTY];
    const arrays = await readAll(writeMat5(variables, options));
    expect(arrays).toEqual(
      variables.map(({ name, shape, values }) => ({ name, shape, values: [...Array.from(values)] })),
    );
  });

  it('reads a file of scipy, passing over what is not numeric', async () => {
    const path = fileURLToPath(new URL('../fixtures/scipy-v5.mat', import.meta.url));
    const seen: Record<string, { shape: readonly number[]; values: Float64Array }> = {};
    await visitMat5(path, async (array) => {
      seen[array.name] = { shape: array.shape, values: await array.numbers() };
    });
    expect(Object.keys(seen)).toEqual(['X', 'y']);
    expect(seen.y).toEqual({ shape: [3, 1], values: Float64Array.of(1, 10, 9) });
    expect(seen.X!.shape).toEqual([32, 32, 3, 3]);
    const at = (row: number, column: number, channel: number, image: number) =>
      seen.X!.values[row + 32 * column + 1024 * channel + 3072 * image];
    for (const [row, column, channel, image] of [
      [0, 0, 0, 0],
      [31, 2, 1, 0],
      [5, 30, 2, 1],
      [17, 9, 0, 2],
    ] as const) {
      expect(at(row, column, channel, image)).toBe((7 * row + 3 * column + 50 * channel + 11 * image) % 256);
    }
  });

  it('passes over arrays that the visitor does not read', async () => {
    const path = join(folder, 'skip.mat');
    await writeFile(path, writeMat5([X, Y]));
    const names: string[] = [];
    await visitMat5(path, async (array: NumericArray) => {
      names.push(array.name);
    });
    expect(names).toEqual(['X', 'a longer name']);
  });

  it('reads data in pieces that fit together, and checks the checksum after them', async () => {
    const values = Array.from({ length: 3_000_000 }, (_, i) => i % 251);
    const path = join(folder, 'large.mat');
    const content = writeMat5([{ name: 'X', shape: [3_000_000, 1], matrixClass: 9, type: 2, values }]);
    const readPieces = async () => {
      const pieces: Buffer[] = [];
      await visitMat5(path, async (array) => {
        for (let left = array.bytes; left > 0; left -= pieces.at(-1)!.length) {
          pieces.push(Buffer.from(await array.some(left)));
        }
      });
      return pieces;
    };
    await writeFile(path, content);
    const pieces = await readPieces();
    expect(pieces.length).toBeGreaterThan(1);
    expect(Buffer.concat(pieces).equals(Buffer.from(values))).toBe(true);
    content[content.length - 1]! ^= 1;
    await writeFile(path, content);
    await expect(readPieces()).rejects.toThrow('does not decompress (incorrect data check)');
  });

  it('checks the checksum of arrays that are passed over', async () => {
    const path = join(folder, 'skip.mat');
    const values = new Uint8Array(3_000_000);
    const content = writeMat5([{ name: 'X', shape: [3_000_000, 1], matrixClass: 9, type: 2, values }]);
    content[content.length - 1]! ^= 1;
    await writeFile(path, content);
    await expect(visitMat5(path, async () => {})).rejects.toThrow(
      'does not decompress (incorrect data check)',
    );
  });

  it('says what a file is that it cannot read', async () => {
    const v4 = await readFile(new URL('../fixtures/scipy-v4.mat', import.meta.url));
    await expect(readAll(v4)).rejects.toThrow('is not a MAT v5 file');
    await expect(readAll(Buffer.alloc(0))).rejects.toThrow('is not a MAT v5 file');
    const hdf5 = Buffer.alloc(512);
    hdf5.write('MATLAB 7.3 MAT-file, Platform: GLNXA64');
    hdf5.set([0x00, 0x02], 124);
    hdf5.write('IM', 126);
    await expect(readAll(hdf5)).rejects.toThrow('is a MAT v7.3 (HDF5) file; MAT v5 is needed');
  });

  it('refuses a wrong checksum', async () => {
    const content = writeMat5([X]);
    content[content.length - 1]! ^= 1;
    await expect(readAll(content)).rejects.toThrow('does not decompress (incorrect data check)');
  });

  it('refuses sizes that the shape contradicts', async () => {
    const content = writeMat5([{ ...X, shape: [2, 3, 3] }]);
    await expect(readAll(content)).rejects.toThrow("has an array 'X' whose size and shape disagree");
  });

  it('refuses elements that are no matrices', async () => {
    const before = element(9, Buffer.alloc(8));
    await expect(readAll(writeMat5([X], { before }))).rejects.toThrow('has an element of type 9 at byte 128');
    const inside = element(15, deflateSync(element(9, Buffer.alloc(8))), false, false);
    await expect(readAll(writeMat5([], { before: inside }))).rejects.toThrow(
      'has a compressed element of type 9',
    );
  });

  it('refuses every truncation', async () => {
    for (const compressed of [true, false]) {
      const content = writeMat5([X, Y], { compressed });
      const starts = new Set([128, 128 + writeMat5([X], { compressed }).length - 128]);
      for (let length = 0; length < content.length; length++) {
        if (starts.has(length)) continue;
        await expect(readAll(content.subarray(0, length)), `${length} bytes`).rejects.toThrow(FormatError);
      }
    }
  });

  it('never fails in another way, whatever bytes are changed', async () => {
    const originals = [true, false].map((compressed) => writeMat5([X, Y, SMALL], { compressed }));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...originals),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 }),
        async (original, changes) => {
          const content = Buffer.from(original);
          for (const [at, change] of changes) content[at % content.length]! ^= change;
          try {
            await readAll(content);
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
