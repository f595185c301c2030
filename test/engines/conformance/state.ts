import { expect, test } from 'vitest';
import type { ModelState } from '../../../src/engines/engine.js';
import { randomBatch, randomWeights } from '../../../src/engines/noise.js';
import type { Network } from '../../../src/networks/network.js';
import { parameters } from '../../../src/networks/parameters.js';
import { type Example, exampleNetwork } from '../../reference/examples.js';
import { bitsOf, DEFAULTS, type TestedEngine, untrained, withModel } from './models.js';

const example: Example = {
  channels: 3,
  height: 8,
  width: 8,
  classes: 4,
  stem: 'small',
  stemChannels: 6,
  blocks: [2, 1],
  growthRate: 3,
  bottleneck: true,
  compression: 0.5,
  dropout: 0,
};

/** A state with a different number everywhere. */
function randomState(network: Network, seed: number): ModelState {
  const { weights, momentum } = untrained(network, randomWeights(network, seed));
  const other = randomWeights(network, seed + 1);
  return { weights, momentum: new Map([...momentum.keys()].map((name) => [name, other.get(name)!])) };
}

function clear(state: ModelState): void {
  for (const tensors of [state.weights, state.momentum])
    for (const { data } of tensors.values()) data.fill(7);
}

export function stateTests(engine: () => TestedEngine): void {
  test.each<[string, Partial<Example>]>([
    ['BC', {}],
    ['basic', { bottleneck: false }],
    ['ImageNet stem', { stem: 'imagenet', height: 32, width: 32 }],
  ])('import and export, to the bit: %s', async (_, changes) => {
    const network = exampleNetwork({ ...example, ...changes });
    const state = randomState(network, 1);
    const exported = await withModel(engine(), network, DEFAULTS, state, (model) => model.exportState());
    expect(bitsOf(exported)).toEqual(bitsOf(state));
    const order = parameters(network).map(({ name }) => name);
    expect([...exported.weights.keys()]).toEqual(order);
  });

  test('import replaces the whole state of a trained model', async () => {
    const network = exampleNetwork(example);
    const state = randomState(network, 1);
    const batch = randomBatch(network, 3, 1);
    await withModel(engine(), network, DEFAULTS, state, async (model) => {
      const fresh = await model.predict(batch.images);
      await model.train(batch, { learningRate: 0.1, step: 0 });
      await model.importState(state);
      expect(bitsOf(await model.exportState())).toEqual(bitsOf(state));
      expect(await model.predict(batch.images)).toEqual(fresh);
    });
  });

  test('shares no memory with what was imported or exported', async () => {
    const network = exampleNetwork(example);
    const batch = randomBatch(network, 3, 1);
    const imported = randomState(network, 1);
    const original = bitsOf(imported);
    await withModel(engine(), network, DEFAULTS, imported, async (model) => {
      clear(imported);
      const exported = await model.exportState();
      expect(bitsOf(exported)).toEqual(original);
      await model.train(batch, { learningRate: 0.1, step: 0 });
      expect(bitsOf(exported)).toEqual(original);
      const trained = await model.exportState();
      const bits = bitsOf(trained);
      clear(trained);
      expect(bitsOf(await model.exportState())).toEqual(bits);
    });
  });

  test('neither predicting nor exporting changes it', async () => {
    const network = exampleNetwork(example);
    const state = randomState(network, 1);
    await withModel(engine(), network, DEFAULTS, state, async (model) => {
      await model.predict(randomBatch(network, 5, 1).images);
      await model.exportState();
      expect(bitsOf(await model.exportState())).toEqual(bitsOf(state));
    });
  });

  test('prediction does not depend on the other images of the batch', async () => {
    const network = exampleNetwork(example);
    const { images } = randomBatch(network, 4, 1);
    await withModel(engine(), network, DEFAULTS, randomState(network, 1), async (model) => {
      const together = await model.predict(images);
      const size = images.length / 4;
      for (let i = 0; i < 4; i++) {
        const alone = await model.predict(images.slice(i * size, (i + 1) * size));
        expect(alone).toHaveLength(network.classes);
        alone.forEach((logit, k) => {
          expect(logit).toBeCloseTo(together[i * network.classes + k]!, 4);
        });
      }
    });
  });

  test('a rate of 0 moves momentum and running statistics alone', async () => {
    const network = exampleNetwork(example);
    const state = randomState(network, 1);
    await withModel(engine(), network, DEFAULTS, state, async (model) => {
      await model.train(randomBatch(network, 3, 1), { learningRate: 0, step: 0 });
      const after = bitsOf(await model.exportState());
      const changed = Object.entries(bitsOf(state)).filter(([name, bits]) => after[name] !== bits);
      const moving = parameters(network).map(({ name, role }) =>
        role.startsWith('running') ? `weight ${name}` : `momentum ${name}`,
      );
      expect(new Set(changed.map(([name]) => name))).toEqual(new Set(moving));
    });
  });
}
