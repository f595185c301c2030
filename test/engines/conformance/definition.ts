import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Batch, ModelOptions } from '../../../src/engines/engine.js';
import type { Network } from '../../../src/networks/network.js';
import type { NamedTensors } from '../../../src/util/tensor.js';
import {
  type Example,
  exampleNetwork,
  fewestPixels,
  randomBatch,
  randomWeights,
} from '../../reference/examples.js';
import { ReferenceModel, type ReferenceResult } from '../../reference/model.js';
import { type Arrays, arrayFaults, lossFaults, stateFaults } from './faults.js';
import { DEFAULTS, type TestedEngine, untrained, withModel } from './models.js';

/** Relative, in norm. */
const TOLERANCE = 1e-4;

/** Rounding moves the values that enter a ReLU by some 1e-6; nearer to 0 it may take the other side. */
const KINK_DISTANCE = 1e-5;

/**
 * With few values to a channel, batch normalisation amplifies rounding: of two values it makes ±1, whatever
 * they are. No network here has fewer.
 */
const FEWEST_VALUES = 8;

const LEARNING_RATE = 0.05;

interface Case {
  readonly network: Network;
  readonly weights: NamedTensors;
  readonly batches: readonly Batch[];
  readonly options: ModelOptions;
  readonly accumulate: number;
  /** What the definition makes of it, step by step. */
  readonly steps: readonly Step[];
  /** Logits of the first batch, before the first step and after the last. */
  readonly logits: readonly [Float64Array, Float64Array];
}

interface Step {
  readonly before: Arrays;
  readonly result: ReferenceResult;
  readonly weights: Arrays;
  readonly momentum: Arrays;
}

/** Computes what the definition says; undefined where a value comes too near to a kink to compare. */
function defineCase(
  example: Example,
  batchSizes: readonly number[],
  seed: number,
  { accumulate = 1, ...changes }: Partial<ModelOptions> & { accumulate?: number } = {},
): Case | undefined {
  const options = { ...DEFAULTS, ...changes };
  const network = exampleNetwork(example);
  const weights = randomWeights(network, seed);
  const batches = batchSizes.map((size, step) => randomBatch(network, size, 1000 * seed + step));
  const reference = new ReferenceModel(network, weights);
  const snapshot = (): Arrays =>
    new Map([...reference.values].map(([name, { data }]) => [name, data.slice()]));

  const first = reference.predict(batches[0]!.images);
  const steps: Step[] = [];
  for (const batch of batches) {
    const before = snapshot();
    const parts = cut(batch, accumulate);
    const result = reference.trainParts(parts, LEARNING_RATE, options.optimizer);
    if (result.nearestKink < KINK_DISTANCE) return undefined;
    const momentum = new Map([...reference.momentum].map(([name, data]) => [name, data.slice()]));
    steps.push({ before, result, weights: snapshot(), momentum });
  }
  const last = reference.predict(batches[0]!.images);
  return { network, weights, batches, options, accumulate, steps, logits: [first, last] };
}

/** A batch in n parts whose sizes differ by one at most, the smaller ones wherever ⌊N·i/n⌋ puts them. */
function cut({ images, labels }: Batch, parts: number): Batch[] {
  const count = Math.min(parts, labels.length);
  const size = images.length / labels.length;
  return Array.from({ length: count }, (_, part) => {
    const [begin, end] = [part, part + 1].map((i) => Math.floor((labels.length * i) / count)) as [
      number,
      number,
    ];
    return { images: images.slice(begin * size, end * size), labels: labels.slice(begin, end) };
  });
}

/** As `defineCase`, with the first seed that keeps clear of kinks. */
function smoothCase(...[example, batchSizes, , changes]: Parameters<typeof defineCase>): Case {
  for (let seed = 1; ; seed++) {
    const found = defineCase(example, batchSizes, seed, changes);
    if (found) return found;
  }
}

/** Runs the engine through the case; returns what differs from the definition. */
function engineFaults(engine: TestedEngine, expected: Case): Promise<string[]> {
  const { network, weights, batches, options, accumulate, steps, logits } = expected;
  return withModel(engine, network, options, untrained(network, weights), async (model) => {
    const images = batches[0]!.images;
    const faults = arrayFaults('logits before training', await model.predict(images), logits[0], TOLERANCE);
    for (const [index, step] of steps.entries()) {
      const at = { learningRate: LEARNING_RATE, step: index, accumulate };
      const result = await model.train(batches[index]!, at);
      faults.push(...lossFaults(`of step ${index}`, result.loss, step.result.loss, TOLERANCE));
      if (result.correct !== step.result.correct) {
        faults.push(`step ${index}: ${result.correct} correct, not ${step.result.correct}`);
      }
      const state = await model.exportState();
      faults.push(
        ...stateFaults(state, step, step.before, TOLERANCE).map((text) => `step ${index}: ${text}`),
      );
    }
    faults.push(...arrayFaults('logits after training', await model.predict(images), logits[1], TOLERANCE));
    return faults;
  });
}

const base: Example = {
  channels: 3,
  height: 12,
  width: 12,
  classes: 10,
  stem: 'small',
  stemChannels: 8,
  blocks: [2, 2],
  growthRate: 4,
  bottleneck: true,
  compression: 0.5,
  dropout: 0,
};

/** Without weight decay the momentum after the first step is the gradient. */
const noDecay = { optimizer: { momentum: 0.9, nesterov: true, weightDecay: 0 } };

export function definitionTests(engine: () => TestedEngine, runs: number): void {
  test.each<[string, Partial<Example>, readonly number[], Parameters<typeof defineCase>[3]]>([
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
    const expected = smoothCase({ ...base, ...changes }, batchSizes, 1, options);
    expect(await engineFaults(engine(), expected)).toEqual([]);
  });

  test(`${runs} random networks`, async () => {
    const property = fc.asyncProperty(exampleArbitrary, async ({ example, batchSizes, seed, options }) => {
      const part = Math.floor(Math.min(...batchSizes) / Math.min(options.accumulate, ...batchSizes));
      const values = fewestPixels(exampleNetwork(example)) * part;
      fc.pre(values >= FEWEST_VALUES);
      const expected = defineCase(example, batchSizes, seed, options);
      fc.pre(expected !== undefined);
      expect(await engineFaults(engine(), expected)).toEqual([]);
    });
    await fc.assert(property, { seed: 20170721, numRuns: runs, endOnFailure: true });
  });
}

/** Small networks of all kinds: about 10⁶ multiply-adds an image at most, so that the definition keeps up. */
const exampleArbitrary = fc
  .constantFrom('small' as const, 'small' as const, 'imagenet' as const)
  .chain((stem) => {
    const size = stem === 'small' ? { min: 6, max: 15 } : { min: 22, max: 35 };
    return fc.record({
      example: fc.record({
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
      }),
      batchSizes: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
      seed: fc.nat(1_000_000),
      options: fc.record({
        accumulate: fc.constantFrom(1, 1, 2, 3),
        memoryEfficient: fc.boolean(),
        optimizer: fc.record({
          momentum: fc.constantFrom(0, 0.9),
          nesterov: fc.boolean(),
          weightDecay: fc.constantFrom(0, 0.01),
        }),
      }),
    });
  });
