import fc from 'fast-check';
import { expect } from 'vitest';
import type { Batch, ModelOptions } from '../../../src/engines/engine.js';
import { randomBatch, randomWeights } from '../../../src/engines/noise.js';
import type { Network } from '../../../src/networks/network.js';
import { survivalProbabilities, survivors } from '../../../src/networks/residual.js';
import type { NamedTensors } from '../../../src/util/tensor.js';
import { exact, type Rounding } from '../../reference/convolution.js';
import { fewestPixels } from '../../reference/examples.js';
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

export interface Case {
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

/** How the engine is asked to train. */
export type CaseOptions = Partial<ModelOptions> & { readonly accumulate?: number };

/** Computes what the definition says; undefined where a value comes too near to a kink to compare. */
function defineCase(
  network: Network,
  batchSizes: readonly number[],
  seed: number,
  { accumulate = 1, ...changes }: CaseOptions = {},
  round: Rounding = exact,
): Case | undefined {
  const options = { ...DEFAULTS, ...changes };
  const weights = randomWeights(network, seed);
  const batches = batchSizes.map((size, step) => randomBatch(network, size, 1000 * seed + step));
  const reference = new ReferenceModel(network, weights, round);
  const snapshot = (): Arrays =>
    new Map([...reference.values].map(([name, { data }]) => [name, data.slice()]));

  const first = reference.predict(batches[0]!.images);
  const steps: Step[] = [];
  const survival = survivalProbabilities(network);
  for (const [step, batch] of batches.entries()) {
    const before = snapshot();
    const branchesOf = (part: number) => {
      const there = survivors(survival, options.seed, step * accumulate + part);
      return (unit: number) => there[unit] === 1;
    };
    const parts = cut(batch, accumulate);
    const result = reference.trainParts(parts, LEARNING_RATE, options.optimizer, undefined, branchesOf);
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
export function smoothCase(network: Network, batchSizes: readonly number[], options: CaseOptions): Case {
  for (let seed = 1; ; seed++) {
    const found = defineCase(network, batchSizes, seed, options);
    if (found) return found;
  }
}

/** As `defineCase`, for one seed after the other, those that keep clear of kinks. */
export function* smoothCases(
  network: Network,
  batchSizes: readonly number[],
  options: CaseOptions,
  seeds: number,
  round: Rounding,
): Generator<Case> {
  for (let seed = 1; seed <= seeds; seed++) {
    const found = defineCase(network, batchSizes, seed, options, round);
    if (found) yield found;
  }
}

/** Runs the engine through the case; returns what differs from the definition. */
export function engineFaults(engine: TestedEngine, expected: Case): Promise<string[]> {
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

/** Without weight decay the momentum after the first step is the gradient. */
export const noDecay = { optimizer: { momentum: 0.9, nesterov: true, weightDecay: 0 } };

/** How a random network is trained. */
const trainingArbitraries = {
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
};

/** Tries the engine on random networks, trained at random. */
export async function expectAgreement(
  engine: TestedEngine,
  networks: fc.Arbitrary<Network>,
  seed: number,
  runs: number,
): Promise<void> {
  const drawn = fc.record({ network: networks, ...trainingArbitraries });
  const property = fc.asyncProperty(drawn, async ({ network, batchSizes, seed, options }) => {
    const part = Math.floor(Math.min(...batchSizes) / Math.min(options.accumulate, ...batchSizes));
    fc.pre(fewestPixels(network) * part >= FEWEST_VALUES);
    const expected = defineCase(network, batchSizes, seed, options);
    fc.pre(expected !== undefined);
    expect(await engineFaults(engine, expected)).toEqual([]);
  });
  await fc.assert(property, { seed, numRuns: runs, endOnFailure: true });
}
