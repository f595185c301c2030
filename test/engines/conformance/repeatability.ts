import { expect, test } from 'vitest';
import type { Batch, Model, TrainResult } from '../../../src/engines/engine.js';
import { randomBatch, randomWeights } from '../../../src/engines/noise.js';
import type { Network } from '../../../src/networks/network.js';
import { exampleNetwork } from '../../reference/examples.js';
import { bitsOf, DEFAULTS, type TestedEngine, untrained, withModel } from './models.js';

/** Trains on `batches`, of which the first is that of step `first`. */
async function trainOn(model: Model, part: readonly Batch[], first = 0): Promise<TrainResult[]> {
  const results: TrainResult[] = [];
  for (const [i, batch] of part.entries()) {
    results.push(await model.train(batch, { learningRate: 0.1, step: first + i }));
  }
  return results;
}

/** Another network, which must not disturb the one that is tested. */
const other = exampleNetwork({
  ...{ channels: 3, height: 16, width: 16, classes: 10, stem: 'small', stemChannels: 10 },
  ...{ blocks: [1, 2], growthRate: 5, bottleneck: false, compression: 0.5, dropout: 0 },
});

/** `network` should have everything that is random in training. */
export function repeatabilityTests(engine: () => TestedEngine, network: Network): void {
  const start = untrained(network, randomWeights(network, 1));
  const batches = [8, 8, 3, 8, 8, 8].map((size, step) => randomBatch(network, size, step));

  /** Everything that can be seen of a training run. */
  async function observe(model: Model, part: readonly Batch[], first = 0) {
    const results = await trainOn(model, part, first);
    const logits = await model.predict(batches[0]!.images);
    return { results, logits, bits: bitsOf(await model.exportState()) };
  }

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
    const otherStart = untrained(other, randomWeights(other, 2));
    const together = await withModel(engine(), other, DEFAULTS, otherStart, (neighbour) =>
      run(async (model) => {
        const results: TrainResult[] = [];
        for (const [step, batch] of batches.entries()) {
          results.push(...(await trainOn(model, [batch], step)));
          await trainOn(neighbour, [randomBatch(other, 5, step)], step);
        }
        const logits = await model.predict(batches[0]!.images);
        return { results, logits, bits: bitsOf(await model.exportState()) };
      }),
    );
    expect(together).toEqual(alone);
  });
}
