import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ModelOptions } from '../../../src/engines/engine.js';
import { randomBatch, randomWeights } from '../../../src/engines/noise.js';
import { BN_MOMENTUM, type Network } from '../../../src/networks/network.js';
import { parameters } from '../../../src/networks/parameters.js';
import { EXAMPLE, type Example, exampleNetwork } from '../../reference/examples.js';
import { forward, toValues } from '../../reference/network.js';
import { RESIDUAL_EXAMPLE, RESIDUAL_KINDS, residualNetwork } from '../../reference/residual-examples.js';
import { Tape } from '../../reference/tape.js';
import { engineFaults, noDecay, smoothCase } from './cases.js';
import { DEFAULTS, type TestedEngine, untrained, withModel } from './models.js';

const IMAGES = 512;

const IMAGENET: Example = { ...EXAMPLE, stem: 'imagenet', height: 32, width: 32 };

const network = exampleNetwork({
  ...{ ...EXAMPLE, channels: 1, height: 32, width: 32, classes: 3 },
  ...{ stemChannels: 3, blocks: [1], growthRate: 2 },
});

/**
 * Half a million values to a channel. In a sum of so many, one after another, single precision loses three digits.
 * Gradients are left out: of so many values some always come too near to the kink of a ReLU to compare. `tolerance`
 * is of the batch's statistics, relative to the variance and to the standard deviation.
 */
export function largeBatchTests(
  createEngine: (images: number) => Promise<TestedEngine>,
  tolerance: number,
): void {
  let engine: TestedEngine;
  beforeAll(async () => {
    engine = await createEngine(IMAGES);
  });
  afterAll(() => engine.dispose());

  test(`batch statistics of ${IMAGES} images`, async () => {
    const weights = randomWeights(network, 1);
    const batch = randomBatch(network, IMAGES, 1);
    const expected = toValues(weights);
    forward(new Tape(), network, expected, batch.images, none('dropout'), none('stochastic depth'));
    const moved = await withModel(engine, network, DEFAULTS, untrained(network, weights), async (model) => {
      await model.train(batch, { learningRate: 0.01, step: 0 });
      return (await model.exportState()).weights;
    });
    // running ← (1 − m)·running + m·batch, solved for the batch's.
    const ofBatch = (name: string, running: ArrayLike<number>) =>
      Array.from(weights.get(name)!.data, (before, c) => {
        return (running[c]! - (1 - BN_MOMENTUM) * before) / BN_MOMENTUM;
      });
    for (const { name, role } of parameters(network)) {
      if (role !== 'runningMean' && role !== 'runningVariance') continue;
      const variance = name.replace('running_mean', 'running_var');
      const scale = ofBatch(variance, expected.get(variance)!.data).map((v) =>
        role === 'runningMean' ? Math.sqrt(v) : v,
      );
      const right = ofBatch(name, expected.get(name)!.data);
      const errors = ofBatch(name, moved.get(name)!.data).map((value, c) => {
        return Math.abs(value - right[c]!) / scale[c]!;
      });
      expect(Math.max(...errors), name).toBeLessThan(tolerance);
    }
  });

  test.each<[string, Network, Partial<ModelOptions>]>([
    ['DenseNet-BC', exampleNetwork(EXAMPLE), {}],
    ['memory-efficient, ImageNet stem', exampleNetwork(IMAGENET), { memoryEfficient: true }],
    ['ResNet', residualNetwork({ ...RESIDUAL_EXAMPLE, ...RESIDUAL_KINDS['post, basic'] }), {}],
  ])('with the same kernels, gradients agree with the definition: %s', async (_, example, options) => {
    const expected = smoothCase(example, [3, 3], { ...noDecay, ...options });
    expect(await engineFaults(engine, expected)).toEqual([]);
  });
}

function none(what: string) {
  return (): never => {
    throw new Error(`the network has no ${what}`);
  };
}
