import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changedKeys, differences, repetitionKey, runKey } from '../../src/config/identity.js';
import { loadExperiment } from '../../src/config/load.js';

describe('changedKeys', () => {
  it('is empty exactly for equal values', () => {
    fc.assert(
      fc.property(fc.object({ maxDepth: 3 }), (a) => {
        expect(changedKeys(a, structuredClone(a))).toEqual([]);
      }),
    );
  });

  it('lists dotted paths, on either side, with lists as one value', () => {
    const a = { network: { depth: 40, growthRate: 12 }, augmentation: ['shift'], same: { x: 1 } };
    const b = {
      network: { depth: 100, growthRate: 12, blocks: [1] },
      augmentation: ['mirror'],
      same: { x: 1 },
    };
    expect(changedKeys(a, b)).toEqual(['network.depth', 'network.blocks', 'augmentation']);
    expect(changedKeys(b, a)).toEqual(['network.depth', 'network.blocks', 'augmentation']);
  });
});

describe('two experiments', () => {
  const load = (...set: string[]) => loadExperiment('cifar10plus-40-12', { set });

  it('are one run if nothing but their description, the paper and the order of augmentations differs', async () => {
    const [a, b] = [
      await load(),
      await load('description=other words', 'paper=null', 'dataset.augmentation=[mirror, shift]'),
    ];
    expect(b.description).not.toBe(a.description);
    expect(differences(a, b)).toEqual([]);
    expect(runKey(b)).toBe(runKey(a));
  });

  it.each([
    ['training.seed=2', true],
    ['training.memoryEfficient=true', true],
    ['name=other', true],
    ['training.epochs=40', false],
    ['training.accumulate=4', false],
    ['network.depth=100', false],
    ['network.dropout=0.2', false],
    ['dataset.validation=5000', false],
  ])('with %s are two runs; one repeats the other: %s', async (setting, repeats) => {
    const [a, b] = [await load(), await load(setting)];
    expect(differences(a, b)).toEqual([setting.split('=')[0]]);
    expect(runKey(b)).not.toBe(runKey(a));
    expect(repetitionKey(b) === repetitionKey(a)).toBe(repeats);
  });
});
