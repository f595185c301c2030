import { expect, test } from 'vitest';
import type { Batch, Model, TrainResult } from '../../../src/engines/engine.js';
import { type Example, exampleNetwork, randomBatch, randomWeights } from '../../reference/examples.js';
import { bitsOf, DEFAULTS, type TestedEngine, untrained, withModel } from './models.js';

const example: Example = {
  channels: 3,
  height: 16,
  width: 16,
  classes: 10,
  stem: 'small',
  stemChannels: 10,
  blocks: [2, 2, 2],
  growthRate: 5,
  bottleneck: true,
  compression: 0.5,
  dropout: 0.2,
};
const network = exampleNetwork(example);
const start = untrained(network, randomWeights(network, 1));
const batches = [8, 8, 3, 8, 8, 8].map((size, step) => randomBatch(network, size, step));

/** Trains on `batches`, of which the first is that of step `first`. */
async function trainOn(model: Model, part: readonly Batch[], first = 0): Promise<TrainResult[]> {
  const results: TrainResult[] = [];
  for (const [i, batch] of part.entries()) {
    results.push(await model.train(batch, { learningRate: 0.1, step: first + i }));
  }
  return results;
}

/** Everything that can be seen of a training run. */
async function observe(model: Model, part: readonly Batch[], first = 0) {
  const results = await trainOn(model, part, first);
  const logits = await model.predict(batches[0]!.images);
  return { results, logits, bits: bitsOf(await model.exportState()) };
}

export function repeatabilityTests(engine: () => TestedEngine): void {
  const run = <Result>(use: (model: Model) => Promise<Result>, from = start) =>
    withModel(engine(), network, DEFAULTS, from, use);

  test('on a second model', async () => {
    const first = await run((model) => observe(model, batches));
    expect(await run((model) => observe(model, batches))).toEqual(first);
  });

  test('on a model that did something else before', async () => {
    const first = await run((model) => observe(model, batches));
    const second = await run(async (model) => {
      await trainOn(model, [randomBatch(network, 11, 99)], 7);
      await model.predict(randomBatch(network, 13, 98).images);
      await model.importState(start);
      return observe(model, batches);
    });
    expect(second).toEqual(first);
  });

  test('after export and import in the middle', async () => {
    const whole = await run((model) => observe(model, batches));
    const half = await run(async (model) => {
      const results = await trainOn(model, batches.slice(0, 3));
      return { results, state: await model.exportState() };
    });
    const rest = await run((model) => observe(model, batches.slice(3), 3), half.state);
    expect({ ...rest, results: [...half.results, ...rest.results] }).toEqual(whole);
  });

  test('with activations kept or computed again', async () => {
    const kept = await run((model) => observe(model, batches));
    const options = { ...DEFAULTS, memoryEfficient: true };
    const again = await withModel(engine(), network, options, start, (model) => observe(model, batches));
    expect(again).toEqual(kept);
  });

  test('with another model at work in between', async () => {
    const alone = await run((model) => observe(model, batches));
    const otherNetwork = exampleNetwork({ ...example, bottleneck: false, blocks: [1, 2], dropout: 0 });
    const otherStart = untrained(otherNetwork, randomWeights(otherNetwork, 2));
    const together = await withModel(engine(), otherNetwork, DEFAULTS, otherStart, (other) =>
      run(async (model) => {
        const results: TrainResult[] = [];
        for (const [step, batch] of batches.entries()) {
          results.push(...(await trainOn(model, [batch], step)));
          await trainOn(other, [randomBatch(otherNetwork, 5, step)], step);
        }
        const logits = await model.predict(batches[0]!.images);
        return { results, logits, bits: bitsOf(await model.exportState()) };
      }),
    );
    expect(together).toEqual(alone);
  });
}
