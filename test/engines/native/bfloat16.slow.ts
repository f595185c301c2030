import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Model } from '../../../src/engines/engine.js';
import { createNativeEngine, type NativeEngine } from '../../../src/engines/native/index.js';
import { randomBatch, randomWeights } from '../../../src/engines/noise.js';
import { evaluate } from '../../../src/training/evaluate.js';
import { silent } from '../../../src/util/reporter.js';
import { nearestBfloat16 } from '../../reference/bfloat16.js';
import { exact } from '../../reference/convolution.js';
import { EXAMPLE, type Example, exampleNetwork } from '../../reference/examples.js';
import { type CaseOptions, engineFaults, noDecay, smoothCases } from '../conformance/cases.js';
import { bitsOf, DEFAULTS, type TestedEngine, untrained, withModel } from '../conformance/models.js';
import { repeatabilityTests } from '../conformance/repeatability.js';
import { quickstart, type Run, trainExperiment } from '../real-images.js';
import { createBfloat16Engine } from './support/bfloat16.js';

let engine: TestedEngine;
let single: NativeEngine;
beforeAll(async () => {
  engine = await createBfloat16Engine();
  single = await createNativeEngine({ device: 'cpu', setup: true, reporter: silent });
});
afterAll(() => Promise.all([engine.dispose(), single.dispose()]));

/**
 * The engine agrees with the definition as closely as in single precision, unless an operand comes within single
 * precision's rounding of the middle between two bfloat16 numbers and goes to the other one: then it is off by 2⁻⁸,
 * what is computed from it too, and more operands change sides. A few of ten thousand operands come so near, so most
 * seeds go well; a fault of the kernels is one with every seed.
 */
const SEEDS = 12;

/** What differs, with the seed that goes best. */
async function fewestFaults(
  changes: Partial<Example>,
  images: number,
  options: CaseOptions,
  round = nearestBfloat16,
): Promise<string[]> {
  let fewest: string[] | undefined;
  const network = exampleNetwork({ ...EXAMPLE, ...changes });
  for (const expected of smoothCases(network, [images], { ...noDecay, ...options }, SEEDS, round)) {
    const faults = await engineFaults(engine, expected);
    if (fewest === undefined || faults.length < fewest.length) fewest = faults;
    if (fewest.length === 0) break;
  }
  return fewest ?? ['no seed keeps clear of kinks'];
}

describe('agrees with the definition, whose operands are rounded', () => {
  test.each<[string, Partial<Example>, number, CaseOptions]>([
    ['basic', { bottleneck: false, compression: 1 }, 3, {}],
    ['BC', {}, 3, {}],
    ['BC, odd numbers of channels', { growthRate: 3, stemChannels: 5, compression: 0.6 }, 3, {}],
    ['basic, three blocks, k = 12', { blocks: [2, 1, 1], growthRate: 12, bottleneck: false }, 2, {}],
    ['BC, k = 24', { blocks: [1, 1], growthRate: 24, height: 8, width: 8 }, 2, {}],
    ['k = 1, one stem channel', { growthRate: 1, stemChannels: 1 }, 3, {}],
    ['one image', {}, 1, {}],
    ['odd size', { height: 13, width: 9, blocks: [1, 1] }, 3, {}],
    ['a wide strip', { height: 6, width: 37, blocks: [1, 1] }, 2, {}],
    ['ImageNet stem', { stem: 'imagenet', height: 27, width: 37, blocks: [1, 1] }, 2, {}],
    ['memory-efficient, by micro-batches', {}, 4, { memoryEfficient: true, accumulate: 2 }],
  ])('%s', async (_, changes, images, options) => {
    expect(await fewestFaults(changes, images, options)).toEqual([]);
  });

  test('and not with the one of exact operands', async () => {
    const faults = await fewestFaults({}, 3, {}, exact);
    expect(faults.length).toBeGreaterThan(10);
  });
});

describe('repeats to the bit', () => {
  const network = exampleNetwork({ ...EXAMPLE, growthRate: 5, height: 16, width: 15, dropout: 0.2 });
  repeatabilityTests(() => engine, network);

  test('with 1, 2, 3 and 7 threads', async () => {
    const start = untrained(network, randomWeights(network, 1));
    const states = [];
    for (const threads of [1, 2, 3, 7]) {
      const other = await createBfloat16Engine(threads);
      states.push(
        await withModel(other, network, DEFAULTS, start, async (model) => {
          for (let step = 0; step < 10; step++)
            await model.train(randomBatch(network, 9, step), { learningRate: 0.05, step });
          return bitsOf(await model.exportState());
        }),
      );
      await other.dispose();
    }
    for (const state of states.slice(1)) expect(state).toEqual(states[0]);
  });
});

describe('learns as single precision does, on real images', () => {
  /** Trains in both precisions, bfloat16 first. */
  const both = <Result>(run: Run, steps: number, use: (model: Model) => Promise<Result>) =>
    Promise.all([engine, single].map((one) => trainExperiment(one, run, steps, use)));

  test('the losses of 20 steps are close', async () => {
    const [rounded, plain] = await both(await quickstart(), 20, async () => undefined);
    const ratios = rounded!.losses.map((loss, step) => loss / plain!.losses[step]!);
    // They part as runs do whose weights differ a little: by some 1 % at the end.
    for (const ratio of ratios) expect(Math.abs(ratio - 1)).toBeLessThan(0.05);
    expect(ratios.every((ratio) => ratio !== 1)).toBe(true);
    expect(plain!.losses[19]! / plain!.losses[0]!).toBeLessThan(0.8);
  });

  test('and so is the test error in the end', async () => {
    const run = await quickstart({
      set: ['training.epochs=3', 'network.depth=16', 'network.growthRate=8'],
      subset: 2500,
    });
    const test = (model: Model) => evaluate(model, run.splits.test, { batchSize: 100, classes: 10 });
    const [rounded, plain] = (await both(run, Number.POSITIVE_INFINITY, test)).map(
      ({ result }) => result.error,
    );
    // Of 1,000 images, of which a third is wrong, the error has a standard deviation of 1.5 points.
    expect(plain).toBeLessThan(50);
    expect(Math.abs(rounded! - plain!)).toBeLessThan(6);
  });
});
