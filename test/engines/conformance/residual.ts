import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomBatch, randomWeights } from '../../../src/engines/noise.js';
import { parameters } from '../../../src/networks/parameters.js';
import { survivalProbabilities, survivors } from '../../../src/networks/residual.js';
import type { NamedTensors, Tensor } from '../../../src/util/tensor.js';
import {
  RESIDUAL_EXAMPLE,
  RESIDUAL_KINDS,
  type ResidualExample,
  residualNetwork,
} from '../../reference/residual-examples.js';
import { type CaseOptions, engineFaults, expectAgreement, noDecay, smoothCase } from './cases.js';
import { expectSameMasksBackward } from './dropout.js';
import { bitsOf, DEFAULTS, type TestedEngine, untrained, withModel } from './models.js';
import { repeatabilityTests } from './repeatability.js';

const bottleneck = { block: 'bottleneck', expansion: 4, shortcut: 'projection' } as const;
const imagenet = { stem: 'imagenet', height: 32, width: 32, activation: 'post' } as const;
const half = { survival: 0.5, units: [2, 3] } as const;

/** Residual networks: what an engine must make of every kind of unit. */
export function residualTests(engine: () => TestedEngine, runs: number): void {
  describe('agree with the definition', () => {
    test.each<[string, Partial<ResidualExample>, readonly number[], CaseOptions]>([
      ...Object.entries(RESIDUAL_KINDS).map(
        ([name, changes]): [string, Partial<ResidualExample>, readonly number[], CaseOptions] => [
          name,
          { ...changes, ...(changes.stem === 'imagenet' ? imagenet : {}) },
          [3, 3],
          noDecay,
        ],
      ),
      ['post, basic, ImageNet stem', { ...imagenet, shortcut: 'projection' }, [2, 2], noDecay],
      [
        'three stages of 16 channels',
        { innerChannels: 16, stemChannels: 16, units: [1, 1, 1] },
        [2, 2],
        noDecay,
      ],
      ['stages of 64 channels', { ...bottleneck, innerChannels: 16, units: [1, 1] }, [2, 2], noDecay],
      ['wide, odd channels', { shortcut: 'projection', innerChannels: 13 }, [2, 2], noDecay],
      ['padding without stride in a first stage', { innerChannels: 6, units: [1] }, [3, 3], noDecay],
      ['odd size, padding', { height: 13, width: 9, activation: 'post' }, [4, 4], noDecay],
      ['odd size, pre bottleneck', { ...bottleneck, height: 11, width: 7, units: [1, 1] }, [5, 5], noDecay],
      [
        'odd size, post bottleneck',
        { ...bottleneck, height: 11, width: 7, activation: 'post' },
        [5, 5],
        noDecay,
      ],
      ['ImageNet stem, odd size', { ...imagenet, ...bottleneck, height: 27, width: 37 }, [3, 3], noDecay],
      ['pre, weight decay, last batch smaller', {}, [5, 5, 2, 5], {}],
      ['post, weight decay, last batch smaller', { activation: 'post' }, [5, 5, 2, 5], {}],
      ['memory-efficient pre bottleneck', bottleneck, [3, 2], { ...noDecay, memoryEfficient: true }],
      ['by 2 micro-batches', bottleneck, [4, 6], { ...noDecay, accumulate: 2 }],
      ['memory-efficient post', { activation: 'post' }, [3, 2], { ...noDecay, memoryEfficient: true }],
    ])('%s', async (_, changes, batchSizes, options) => {
      const expected = smoothCase(residualNetwork({ ...RESIDUAL_EXAMPLE, ...changes }), batchSizes, options);
      expect(await engineFaults(engine(), expected)).toEqual([]);
    });

    test(`${runs} random networks`, () => expectAgreement(engine(), networkArbitrary, 20160725, runs));
  });

  describe('have stochastic depth', () => {
    test.each<[string, Partial<ResidualExample>, CaseOptions]>([
      ['post, padding', { activation: 'post' }, {}],
      ['pre, basic', {}, {}],
      ['pre, projection', { ...bottleneck, units: [2, 2] }, {}],
      ['post, projection', { ...bottleneck, activation: 'post', units: [2, 2] }, noDecay],
      ['memory-efficient', { ...bottleneck, units: [2, 2] }, { memoryEfficient: true }],
      ['by 2 micro-batches', { activation: 'post' }, { accumulate: 2 }],
    ])('as defined, in training and in evaluation: %s', async (_, changes, options) => {
      const network = residualNetwork({ ...RESIDUAL_EXAMPLE, ...half, ...changes });
      const expected = smoothCase(network, [4, 4, 4, 4], options);
      const survival = survivalProbabilities(network);
      const decisions = [0, 1, 2, 3].flatMap((step) => [...survivors(survival, DEFAULTS.seed, step)]);
      expect(new Set(decisions)).toEqual(new Set([0, 1]));
      expect(await engineFaults(engine(), expected)).toEqual([]);
    });

    test('with the decisions of its own seed and step, whatever came before', async () => {
      const network = residualNetwork({ ...RESIDUAL_EXAMPLE, ...half, activation: 'post' });
      const start = untrained(network, randomWeights(network, 3));
      const batch = randomBatch(network, 8, 1);
      const losses = (seed: number, steps: readonly number[]) =>
        withModel(engine(), network, { ...DEFAULTS, seed }, start, async (model) => {
          const found: number[] = [];
          for (const step of steps) found.push((await model.train(batch, { learningRate: 0, step })).loss);
          return found;
        });
      const survival = survivalProbabilities(network);
      for (const seed of [1, 2]) {
        const steps = Array.from({ length: 8 }, (_, step) => step);
        const found = await losses(seed, [...steps, ...steps.toReversed()]);
        const byDecision = new Map<string, number>();
        [...steps, ...steps.toReversed()].forEach((step, i) => {
          const decision = survivors(survival, seed, step).join();
          expect(found[i]).toBe(byDecision.get(decision) ?? found[i]);
          byDecision.set(decision, found[i]!);
        });
        expect(new Set(byDecision.values()).size).toBe(byDecision.size);
        expect(byDecision.size).toBeGreaterThan(4);
      }
    });

    test('and leave the running statistics of a branch that is not there, to the bit', async () => {
      const network = residualNetwork({ ...RESIDUAL_EXAMPLE, ...half });
      const start = untrained(network, randomWeights(network, 3));
      const there = survivors(survivalProbabilities(network), DEFAULTS.seed, 0);
      const names = ['layer1.0', 'layer1.1', 'layer2.0', 'layer2.1', 'layer2.2'];
      const after = await withModel(engine(), network, DEFAULTS, start, async (model) => {
        await model.train(randomBatch(network, 4, 1), { learningRate: 0.1, step: 0 });
        return bitsOf(await model.exportState());
      });
      const before = bitsOf(start);
      const moved = names.map((name) =>
        Number(after[`weight ${name}.bn2.running_mean`] !== before[`weight ${name}.bn2.running_mean`]),
      );
      expect(moved).toEqual([...there]);
      expect(new Set(moved).size).toBe(2);
    });
  });

  describe('drop values inside a unit', () => {
    test('one by one, a share 1 − p kept and scaled by 1/(1 − p), each unit, step and seed with its own mask', async () => {
      const masks: string[] = [];
      for (const seed of [1, 2]) {
        for (const step of [0, 1]) {
          const kept = await keptShares(engine(), seed, step);
          for (const shares of kept) {
            const counts = shares.map((share) => share * DROP_VALUES);
            for (const count of counts) expect(Math.abs(count - Math.round(count))).toBeLessThan(0.05);
            const mean = shares.reduce((sum, share) => sum + share / shares.length, 0);
            const sigma = Math.sqrt((P * (1 - P)) / (DROP_VALUES * shares.length));
            expect(Math.abs(mean - (1 - P))).toBeLessThan(5 * sigma);
            expect(new Set(counts.map(Math.round)).size).toBeGreaterThan(1);
            masks.push(counts.map(Math.round).join());
          }
        }
      }
      expect(new Set(masks).size).toBe(masks.length);
    });

    test('not in prediction', async () => {
      const weights = randomWeights(dropping, 3);
      const { images } = randomBatch(dropping, 4, 1);
      const logits = (example: ResidualExample) => {
        const network = residualNetwork(example);
        return withModel(engine(), network, DEFAULTS, untrained(network, weights), (model) =>
          model.predict(images),
        );
      };
      expect(await logits({ ...dropExample, dropout: P })).toEqual(
        await logits({ ...dropExample, dropout: 0 }),
      );
    });

    test.each([false, true])(
      'by the same masks forward and backward, memory-efficient %s',
      (memoryEfficient) =>
        expectSameMasksBackward(engine(), residualNetwork({ ...dropExample, dropout: 0.5 }), memoryEfficient),
    );
  });

  describe('repeat to the bit', () => {
    const wide = {
      ...RESIDUAL_EXAMPLE,
      innerChannels: 6,
      shortcut: 'projection',
      dropout: 0.2,
      survival: 0.7,
    } as const;
    repeatabilityTests(engine, residualNetwork(wide));
  });

  test.each(Object.entries(RESIDUAL_KINDS))('import and export, to the bit: %s', async (_, changes) => {
    const network = residualNetwork({
      ...RESIDUAL_EXAMPLE,
      ...changes,
      ...(changes.stem === 'imagenet' ? imagenet : {}),
    });
    const state = untrained(network, randomWeights(network, 1));
    const exported = await withModel(engine(), network, DEFAULTS, state, (model) => model.exportState());
    expect(bitsOf(exported)).toEqual(bitsOf(state));
    expect([...exported.weights.keys()]).toEqual(parameters(network).map(({ name }) => name));
  });
}

const P = 0.3;
const dropExample: ResidualExample = {
  ...RESIDUAL_EXAMPLE,
  ...{
    channels: 1,
    height: 8,
    width: 8,
    classes: 5,
    units: [2],
    innerChannels: 6,
    stemChannels: 6,
    dropout: P,
  },
};
const dropping = residualNetwork(dropExample);
const DROP_IMAGES = 8;

/** Values of a channel. */
const DROP_VALUES = DROP_IMAGES * 8 * 8;

/**
 * Weights under which the masks can be seen from outside: γ = 0 and β = 1 make every value before dropout 1, the last
 * convolution of a unit hands each channel on, and nothing else adds to it.
 */
function observableWeights(): NamedTensors {
  return new Map(
    parameters(dropping).map(({ name, shape, role }): [string, Tensor] => {
      const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
      if (role === 'beta' || role === 'runningVariance') data.fill(1);
      if (name.endsWith('conv2.weight')) {
        const [outputs, inputs] = shape as [number, number];
        for (let c = 0; c < outputs; c++) data[(c * inputs + c) * 9 + 4] = 1;
      }
      return [name, { shape, data }];
    }),
  );
}

/** The share of values that each of the two units kept in one training step, by channel. */
async function keptShares(engine: TestedEngine, seed: number, step: number): Promise<number[][]> {
  const start = untrained(dropping, observableWeights());
  const { weights } = await withModel(engine, dropping, { ...DEFAULTS, seed }, start, async (model) => {
    await model.train(randomBatch(dropping, DROP_IMAGES, 1), { learningRate: 0, step });
    return model.exportState();
  });
  const mean = (norm: string) =>
    [...weights.get(`${norm}.running_mean`)!.data].map((running) => running * 10);
  const first = mean('layer1.1.bn1');
  const both = mean('bn');
  return [first, both.map((value, c) => value - first[c]!)].map((values) =>
    values.map((value) => value * (1 - P)),
  );
}

/** Small networks of all kinds, as of DenseNets in definition.ts. */
const networkArbitrary = fc
  .constantFrom('small' as const, 'small' as const, 'imagenet' as const)
  .chain((stem) => {
    const size = stem === 'small' ? { min: 6, max: 14 } : { min: 22, max: 33 };
    return fc.record({
      channels: fc.constantFrom(1, 3),
      height: fc.integer(size),
      width: fc.integer(size),
      classes: fc.integer({ min: 2, max: 11 }),
      stem: fc.constant(stem),
      stemChannels: fc.integer({ min: 1, max: 4 }),
      units: fc.array(fc.integer({ min: 1, max: 2 }), {
        minLength: 1,
        maxLength: stem === 'small' ? 3 : 2,
      }),
      innerChannels: fc.integer({ min: 4, max: 7 }),
      expansion: fc.constantFrom(1, 2),
      block: fc.constantFrom('basic' as const, 'bottleneck' as const),
      activation: fc.constantFrom('pre' as const, 'post' as const),
      shortcut: fc.constantFrom('projection' as const, 'padding' as const),
      dropout: fc.constant(0),
      survival: fc.constantFrom(1, 1, 0.6),
    });
  })
  .map((example) => residualNetwork(example));
