import { describe, expect, test } from 'vitest';
import type { Batch } from '../../src/engines/engine.js';
import { randomBatch, randomWeights } from '../../src/engines/noise.js';
import type { Network } from '../../src/networks/network.js';
import { isTrainable, parameters } from '../../src/networks/parameters.js';
import { stageShapes } from '../../src/networks/stages.js';
import { key, uniform } from '../../src/util/random.js';
import { crossEntropy } from './classifier.js';
import { relativeError } from './compare.js';
import { type Example, exampleNetwork } from './examples.js';
import { gradientError } from './finite-differences.js';
import { ReferenceModel } from './model.js';
import { type Branches, forward, type Masks, toValues, type Values } from './network.js';
import {
  RESIDUAL_EXAMPLE,
  RESIDUAL_KINDS,
  type ResidualExample,
  residualNetwork,
} from './residual-examples.js';
import { Tape } from './tape.js';

const tiny: Example = {
  channels: 2,
  height: 4,
  width: 5,
  classes: 3,
  stem: 'small',
  stemChannels: 3,
  blocks: [2, 1],
  growthRate: 2,
  bottleneck: false,
  compression: 1,
  dropout: 0,
};

/** Masks that depend on the convolution's name alone. */
const masks: Masks = (name, size, probability) =>
  Float64Array.from({ length: size }, (_, i) => {
    const sequence = key(0, ...[...name].map((letter) => letter.charCodeAt(0)));
    return uniform(sequence, i) >= probability ? 1 / (1 - probability) : 0;
  });

/** Drops every other branch. */
const branches: Branches = (unit) => unit % 2 === 0;

/** A batch for which no value comes near a kink of the loss, where a difference would step over it. */
function smoothBatch(network: Network, values: Values): Batch {
  for (let seed = 0; ; seed++) {
    const batch = randomBatch(network, 3, seed);
    const tape = new Tape();
    forward(tape, network, values, batch.images, masks, branches);
    if (tape.nearestKink > 2e-4) return batch;
  }
}

function expectSmoothGradients(network: Network): void {
  const values = toValues(randomWeights(network, 5));
  const batch = smoothBatch(network, values);
  const operands = parameters(network)
    .filter(isTrainable)
    .map(({ name }) => values.get(name)!);
  const error = gradientError(operands, (tape) =>
    crossEntropy(tape, forward(tape, network, values, batch.images, masks, branches), batch.labels),
  );
  expect(error).toBeLessThan(1e-6);
}

describe('gradients of whole networks agree with central differences', () => {
  test.each<[string, Partial<Example>]>([
    ['basic', {}],
    ['B', { bottleneck: true, growthRate: 1 }],
    ['C', { compression: 0.5 }],
    ['BC', { bottleneck: true, compression: 0.5, growthRate: 1 }],
    ['BC with dropout', { bottleneck: true, compression: 0.5, growthRate: 1, dropout: 0.3 }],
    ['ImageNet stem', { stem: 'imagenet', channels: 1, height: 17, width: 14, blocks: [1], stemChannels: 2 }],
  ])('%s', (_, changes) => {
    expectSmoothGradients(exampleNetwork({ ...tiny, ...changes }));
  });
});

const tinyResidual: ResidualExample = {
  ...RESIDUAL_EXAMPLE,
  channels: 2,
  height: 5,
  width: 4,
  classes: 3,
  stemChannels: 2,
  units: [1, 2],
  innerChannels: 2,
};

describe('gradients of whole ResNets agree with central differences', () => {
  // Few channels: every weight costs two passes. With one, a normalisation would leave its scale no gradient.
  const image = { channels: 1, height: 17, width: 14 };
  test.each<[string, Partial<ResidualExample>]>([
    ...Object.entries(RESIDUAL_KINDS).map(([name, changes]): [string, Partial<ResidualExample>] => [
      name,
      {
        ...changes,
        ...(changes.stem === 'imagenet' ? image : {}),
        ...(changes.block === 'bottleneck' ? { units: [1, 1], expansion: 2 } : {}),
      },
    ]),
    ['wide with dropout', { shortcut: 'projection', dropout: 0.3 }],
    ['post with stochastic depth', { activation: 'post', survival: 0.5 }],
    ['pre with stochastic depth', { shortcut: 'projection', survival: 0.5, units: [2, 2] }],
  ])('%s', (_, changes) => expectSmoothGradients(residualNetwork({ ...tinyResidual, ...changes })));
});

describe('a residual unit', () => {
  test('whose branch is not there in training hands its shortcut on, and its statistics stay', () => {
    const network = residualNetwork({ ...tinyResidual, units: [2], survival: 0.5 });
    const weights = randomWeights(network, 4);
    const without = new ReferenceModel(network, weights);
    const batch = randomBatch(network, 3, 1);
    const optimizer = { momentum: 0, nesterov: false, weightDecay: 0 };
    const { loss, gradients } = without.train(batch, 0, optimizer, undefined, () => false);
    const none = residualNetwork({ ...tinyResidual, units: [] });
    expect(loss).toBe(new ReferenceModel(none, weights).train(batch, 0, optimizer).loss);
    for (const { name } of parameters(network)) {
      if (!name.startsWith('layer')) continue;
      expect(gradients.get(name)?.every((g) => g === 0) ?? true).toBe(true);
      expect(without.values.get(name)!.data).toEqual(Float64Array.from(weights.get(name)!.data));
    }
  });

  test('counts its branch by the survival probability in evaluation', () => {
    const network = residualNetwork({ ...tinyResidual, units: [1, 1], survival: 0.25 });
    const weights = randomWeights(network, 4);
    // The last convolution of a branch is linear: a quarter of it is a quarter of the branch.
    const quartered = new Map(
      [...weights].map(([name, { shape, data }]) => [
        name,
        { shape, data: name.endsWith('conv2.weight') ? data.map((w) => w / 4) : data },
      ]),
    );
    const { images } = randomBatch(network, 2, 1);
    const always = residualNetwork({ ...tinyResidual, units: [1, 1] });
    const expected = new ReferenceModel(always, quartered).predict(images);
    expect(relativeError(new ReferenceModel(network, weights).predict(images), expected)).toBeLessThan(1e-14);
  });
});

describe('the model', () => {
  const network = exampleNetwork({ ...tiny, height: 9, width: 7, blocks: [1, 1, 1] });
  const optimizer = { momentum: 0.9, nesterov: true, weightDecay: 1e-4 };

  test('learns a batch by heart, then predicts it', () => {
    const model = new ReferenceModel(network, randomWeights(network, 1));
    const batch = randomBatch(network, 4, 2);
    const before = model.train(batch, 0.1, optimizer).loss;
    for (let step = 0; step < 30; step++) model.train(batch, 0.1, optimizer);
    const after = model.train(batch, 0, optimizer);
    expect(after.loss).toBeLessThan(before / 10);
    expect(after.correct).toBe(4);
    expect(model.predict(batch.images)).toHaveLength(4 * network.classes);
  });

  test('prediction does not depend on the other images of the batch', () => {
    const model = new ReferenceModel(network, randomWeights(network, 1));
    const { images } = randomBatch(network, 3, 2);
    const second = images.subarray(images.length / 3, (2 * images.length) / 3);
    expect(model.predict(images).slice(3, 6)).toEqual(model.predict(second));
  });

  test('prediction does not change the model; training moves the running statistics alone at rate 0', () => {
    const weights = randomWeights(network, 1);
    const model = new ReferenceModel(network, weights);
    const batch = randomBatch(network, 2, 2);
    model.predict(batch.images);
    model.train(batch, 0, optimizer);
    for (const parameter of parameters(network)) {
      const before = Float64Array.from(weights.get(parameter.name)!.data);
      const after = model.values.get(parameter.name)!.data;
      if (isTrainable(parameter)) expect(after).toEqual(before);
      else expect(after).not.toEqual(before);
    }
  });

  test('shapes are those of stageShapes', () => {
    expect(stageShapes(network).map(({ output }) => [output.channels, output.height, output.width])).toEqual([
      [3, 9, 7],
      [5, 9, 7],
      [5, 4, 3],
      [7, 4, 3],
      [7, 2, 1],
      [9, 2, 1],
      [3, 1, 1],
    ]);
  });
});
