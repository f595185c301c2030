import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dataset, DatasetDefinition } from '../../src/datasets/dataset.js';
import { definition } from '../../src/datasets/definitions.js';
import { holdOut } from '../../src/datasets/hold-out.js';
import { UserError } from '../../src/util/errors.js';

function datasetOf(labels: Uint8Array, changes: Partial<DatasetDefinition> = {}): Dataset {
  const one = { ...definition('cifar10'), ...changes };
  const set = { count: labels.length, ...one.image, images: new Uint8Array(0), labels };
  return { definition: one, train: set, test: set, digest: '' };
}

const anyLabels = fc.uint8Array({ min: 0, max: 9, minLength: 1, maxLength: 300 });

describe('holding out', () => {
  it('splits all images into two ascending lists', () => {
    fc.assert(
      fc.property(anyLabels, fc.nat(), fc.nat(), (labels, number, seed) => {
        const validation = number % labels.length;
        const parts = holdOut(datasetOf(labels), validation, seed);
        expect(parts.validation.length).toBe(validation);
        expect([...parts.validation]).toEqual([...parts.validation].sort((a, b) => a - b));
        expect([...parts.train]).toEqual([...parts.train].sort((a, b) => a - b));
        const all = [...parts.train, ...parts.validation].sort((a, b) => a - b);
        expect(all).toEqual([...labels.keys()]);
      }),
    );
  });

  it('is a pure function of the seed', () => {
    const dataset = datasetOf(new Uint8Array(5000));
    expect(holdOut(dataset, 500, 7)).toEqual(holdOut(dataset, 500, 7));
    expect(holdOut(dataset, 500, 7).validation).not.toEqual(holdOut(dataset, 500, 8).validation);
  });

  it('takes every image equally often', () => {
    const dataset = datasetOf(new Uint8Array(20));
    const times = new Array<number>(20).fill(0);
    const seeds = 4000;
    for (let seed = 0; seed < seeds; seed++) {
      for (const index of holdOut(dataset, 5, seed).validation) times[index]!++;
    }
    // Binomial(4000, 1/4): mean 1000, deviation 27.4; five deviations either side.
    expect(Math.min(...times)).toBeGreaterThan(1000 - 137);
    expect(Math.max(...times)).toBeLessThan(1000 + 137);
  });

  it.each([-1, 10, 11, 1.5, Number.NaN])('refuses to hold out %s of 10 images', (validation) => {
    expect(() => holdOut(datasetOf(new Uint8Array(10)), validation, 1)).toThrow(UserError);
  });
});

describe('holding out of SVHN', () => {
  const { trainCount, holdOutParts } = definition('svhn');
  const labels = Uint8Array.from({ length: trainCount }, (_, i) => (i * 7919) % 10);
  const dataset = datasetOf(labels, { holdOutParts });

  it('takes 400 per class from train and 200 per class from extra when 6,000 are asked for', () => {
    const { train, validation } = holdOut(dataset, 6000, 1);
    expect(train.length).toBe(598_388);
    const counts = { train: new Array<number>(10).fill(0), extra: new Array<number>(10).fill(0) };
    for (const index of validation) counts[index < 73_257 ? 'train' : 'extra'][labels[index]!]!++;
    expect(counts).toEqual({ train: Array(10).fill(400), extra: Array(10).fill(200) });
    expect(holdOut(dataset, 6000, 2).validation).not.toEqual(validation);
  });

  it('is uniform for another number', () => {
    const { validation } = holdOut(dataset, 5000, 1);
    const fromTrain = validation.filter((index) => index < 73_257).length;
    // Hypergeometric: mean 606, deviation 23.
    expect(Math.abs(fromTrain - 606)).toBeLessThan(5 * 23);
  });

  it('says which class is too small', () => {
    const few = labels.map((label) => (label === 3 ? 4 : label));
    expect(() => holdOut(datasetOf(few, { holdOutParts }), 6000, 1)).toThrow(
      'class 3 has fewer than the 400 images',
    );
  });
});
