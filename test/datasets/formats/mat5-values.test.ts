import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FormatError } from '../../../src/datasets/formats/format-error.js';
import { type MatValue, readMat5Values } from '../../../src/datasets/formats/mat5-values.js';
import { element, matrix, writeMat5 } from '../support/mat5-writer.js';

const FIXTURE = fileURLToPath(new URL('../fixtures/scipy-meta.mat', import.meta.url));

function numbers(shape: number[], ...values: number[]): MatValue {
  return { kind: 'numbers', shape, values: Float64Array.from(values) };
}

describe('MAT v5 values', () => {
  it('reads the structs, text and cells that scipy wrote', async () => {
    const variables = await readMat5Values(FIXTURE);
    expect([...variables.keys()]).toEqual(['synsets', 'cells']);
    const synsets = variables.get('synsets')!;
    expect(synsets.shape).toEqual([3, 1]);
    if (synsets.kind !== 'struct') throw new Error(synsets.kind);
    expect(Object.fromEntries(synsets.elements[0]!)).toEqual({
      ILSVRC2012_ID: numbers([1, 1], 1),
      WNID: { kind: 'text', shape: [1, 9], text: 'n02119789' },
      words: { kind: 'text', shape: [1, 24], text: 'kit fox, Vulpes macrotis' },
      gloss: { kind: 'text', shape: [1, 14], text: 'small grey fox' },
      num_children: numbers([1, 1], 0),
      children: numbers([1, 0]),
      wordnet_height: numbers([1, 1], 0),
      num_train_images: numbers([1, 1], 1300),
    });
    expect(synsets.elements[2]!.get('words')).toMatchObject({ text: 'é, entity' });
    expect(synsets.elements[2]!.get('children')).toEqual(numbers([1, 2], 1, 2));
    expect(variables.get('cells')).toEqual({
      kind: 'cell',
      shape: [1, 2],
      cells: [{ kind: 'text', shape: [1, 5], text: 'first' }, numbers([1, 2], 1.5, 2.5)],
    });
  });

  it('refuses damaged bytes with a FormatError, wherever they are', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mat5-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const whole = await readFile(FIXTURE);
    const path = join(folder, 'meta.mat');
    for (const at of [130, 150, 200, 400, whole.length - 3]) {
      const damaged = Buffer.from(whole);
      damaged.fill(0x55, at, at + 3);
      await writeFile(path, damaged);
      await expect(readMat5Values(path)).rejects.toThrow(FormatError);
    }
    await writeFile(path, whole.subarray(0, whole.length - 20));
    await expect(readMat5Values(path)).rejects.toThrow(/truncated/);
  });

  it('refuses what takes little and holds much', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mat5-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'meta.mat');
    const empties = Buffer.alloc(2 ** 25, longTag(14, 0));
    const i32 = (value: number) => element(5, Buffer.from(Int32Array.of(value).buffer));
    const fields = (names: Buffer) => [i32(32), element(1, names)];
    const nested = (depth: number): Buffer => matrix(1, [1, 1], '', depth > 0 ? [nested(depth - 1)] : []);
    const cases: [string, Buffer, RegExp][] = [
      [
        'elements without a field',
        matrix(2, [2 ** 30, 1], 'a', fields(Buffer.alloc(0))),
        /without valid field/,
      ],
      ['empty cells', matrix(1, [2 ** 30, 1], 'a', [empties]), /holds more than 8.4 MB/],
      ['text', matrix(4, [1, 2 ** 25], 'a', [element(2, Buffer.alloc(2 ** 25))]), /unlikely size/],
      ['depth', matrix(1, [1, 1], 'a', [nested(1000)]), /nested too deep/],
      ['numbers that are not there', matrix(6, [2 ** 27, 1], 'a', [longTag(9, 2 ** 30)]), /unlikely size/],
      [
        'fields',
        matrix(2, [1, 1], 'a', [i32(1), element(1, Buffer.alloc(2 ** 20))]),
        /unlikely array header/,
      ],
    ];
    for (const [what, variable, message] of cases) {
      const packed = element(15, deflateSync(variable), false, false);
      expect(packed.length, what).toBeLessThan(50_000);
      await writeFile(path, Buffer.concat([writeMat5([]), packed]));
      await expect(readMat5Values(path), what).rejects.toThrow(message);
    }
    await writeFile(path, Buffer.concat([writeMat5([]), Buffer.alloc(8 * 1001, longTag(15, 0))]));
    await expect(readMat5Values(path)).rejects.toThrow('has more than 1000 variables');
    // All variables together, not each.
    const one = element(
      15,
      deflateSync(matrix(9, [2 ** 22, 1], 'a', [element(2, Buffer.alloc(2 ** 22))])),
      false,
      false,
    );
    await writeFile(path, Buffer.concat([writeMat5([]), one, one, one]));
    await expect(readMat5Values(path)).rejects.toThrow('which is unlikely');
  });

  it('refuses an array that goes on behind what it says', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mat5-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'meta.mat');
    const more = Buffer.concat([matrix(9, [1, 1], 'a', [element(2, Buffer.of(1))]), Buffer.alloc(2 ** 22)]);
    await writeFile(path, Buffer.concat([writeMat5([]), element(15, deflateSync(more), false, false)]));
    await expect(readMat5Values(path)).rejects.toThrow('continues past its end');
  });
});

/** A tag that says how long its content is, and no content. */
function longTag(type: number, bytes: number): Buffer {
  const tag = Buffer.alloc(8);
  tag.writeUInt32LE(type, 0);
  tag.writeUInt32LE(bytes, 4);
  return tag;
}
