import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FormatError } from '../../../src/datasets/formats/format-error.js';
import { type MatValue, readMat5Values } from '../../../src/datasets/formats/mat5-values.js';

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
});
