import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EXAMPLE, type Example, exampleNetwork } from '../../reference/examples.js';
import { type CaseOptions, engineFaults, expectAgreement, noDecay, smoothCase } from './cases.js';
import type { TestedEngine } from './models.js';

export function definitionTests(engine: () => TestedEngine, runs: number): void {
  test.each<[string, Partial<Example>, readonly number[], CaseOptions]>([
    ['basic', { bottleneck: false, compression: 1 }, [3, 3], noDecay],
    ['B', { compression: 1 }, [3, 3], noDecay],
    ['C', { bottleneck: false }, [3, 3], noDecay],
    ['BC', {}, [3, 3], noDecay],
    ['BC, weight decay', {}, [3, 3], { optimizer: { momentum: 0.9, nesterov: true, weightDecay: 0.05 } }],
    ['BC, no Nesterov', {}, [3, 3], { optimizer: { momentum: 0.8, nesterov: false, weightDecay: 1e-4 } }],
    ['BC, no momentum', {}, [3, 3], { optimizer: { momentum: 0, nesterov: false, weightDecay: 1e-4 } }],
    ['BC, three blocks, k = 12', { blocks: [2, 2, 2], growthRate: 12, stemChannels: 24 }, [2, 2], noDecay],
    [
      'basic, three blocks, k = 12',
      { blocks: [2, 1, 1], growthRate: 12, bottleneck: false },
      [2, 2],
      noDecay,
    ],
    ['BC, k = 40', { blocks: [1, 1], growthRate: 40, height: 8, width: 8 }, [2, 2], noDecay],
    ['maps of 64 channels', { blocks: [1, 1], growthRate: 16, stemChannels: 48 }, [2, 2], noDecay],
    ['k = 9, odd size', { growthRate: 9, height: 9, width: 11 }, [3, 3], noDecay],
    ['k = 13, 7×7', { growthRate: 13, height: 7, width: 7, blocks: [2] }, [5, 5], noDecay],
    [
      'k = 8, 28×28, basic',
      { channels: 1, growthRate: 8, height: 28, width: 28, blocks: [1, 1], bottleneck: false },
      [2, 1],
      noDecay,
    ],
    [
      'k = 10, memory-efficient',
      { growthRate: 10, height: 14, width: 14, blocks: [2] },
      [3, 3],
      { ...noDecay, memoryEfficient: true },
    ],
    ['one layer, one block', { blocks: [1] }, [2, 2], noDecay],
    ['k = 1, one stem channel', { growthRate: 1, stemChannels: 1 }, [3, 3], noDecay],
    ['batches of one image', {}, [1, 1], noDecay],
    ['one channel, 28×28', { channels: 1, height: 28, width: 28, growthRate: 3 }, [2, 2], noDecay],
    ['odd size', { height: 13, width: 9, blocks: [1, 1, 1] }, [5, 5], noDecay],
    ['a wide strip', { height: 6, width: 37 }, [2, 2], noDecay],
    ['a tall strip', { height: 35, width: 6 }, [2, 2], noDecay],
    ['ImageNet stem', { stem: 'imagenet', height: 32, width: 32 }, [2, 2], noDecay],
    ['ImageNet stem, odd size', { stem: 'imagenet', height: 27, width: 37 }, [3, 3], noDecay],
    ['ImageNet stem, basic', { stem: 'imagenet', height: 25, width: 24, bottleneck: false }, [3, 3], noDecay],
    ['last batch smaller', {}, [5, 5, 2, 5, 1, 5], {}],
    ['last batch larger', {}, [1, 4, 7, 2], {}],
    ['memory-efficient', {}, [3, 2], { ...noDecay, memoryEfficient: true }],
    ['by 2 micro-batches', {}, [4, 6], { ...noDecay, accumulate: 2 }],
    ['by 3 micro-batches, last batch smaller', {}, [6, 4, 2, 6], { accumulate: 3 }],
    ['by more micro-batches than images', {}, [3, 3], { ...noDecay, accumulate: 8 }],
    ['by micro-batches, basic', { bottleneck: false }, [5, 5], { ...noDecay, accumulate: 2 }],
    [
      'by micro-batches, ImageNet stem, memory-efficient',
      { stem: 'imagenet', height: 32, width: 32 },
      [5, 4],
      { ...noDecay, memoryEfficient: true, accumulate: 2 },
    ],
    ['memory-efficient, basic', { bottleneck: false }, [3, 2], { ...noDecay, memoryEfficient: true }],
  ])('%s', async (_, changes, batchSizes, options) => {
    const expected = smoothCase(exampleNetwork({ ...EXAMPLE, ...changes }), batchSizes, options);
    expect(await engineFaults(engine(), expected)).toEqual([]);
  });

  test(`${runs} random networks`, () => expectAgreement(engine(), networkArbitrary, 20170721, runs));
}

/** Small networks of all kinds: about 10⁶ multiply-adds per image at most, so that the definition keeps up. */
const networkArbitrary = fc
  .constantFrom('small' as const, 'small' as const, 'imagenet' as const)
  .chain((stem) => {
    const size = stem === 'small' ? { min: 6, max: 15 } : { min: 22, max: 35 };
    return fc.record({
      channels: fc.constantFrom(1, 3),
      height: fc.integer(size),
      width: fc.integer(size),
      classes: fc.integer({ min: 2, max: 11 }),
      stem: fc.constant(stem),
      stemChannels: fc.integer({ min: 1, max: 17 }),
      blocks: fc.array(fc.integer({ min: 1, max: 3 }), {
        minLength: 1,
        maxLength: stem === 'small' ? 3 : 2,
      }),
      growthRate: fc.integer({ min: 1, max: 9 }),
      bottleneck: fc.boolean(),
      compression: fc.constantFrom(0.3, 0.5, 1),
      dropout: fc.constant(0),
    });
  })
  .map((example) => exampleNetwork(example));
