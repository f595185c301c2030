import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Model } from '../../../src/engines/engine.js';
import { randomBatch } from '../../../src/engines/noise.js';
import { createTensorFlowEngine, type TensorFlowEngine } from '../../../src/engines/tensorflow/index.js';
import { initialValues } from '../../../src/networks/parameters.js';
import { initialState } from '../../../src/training/checkpoint.js';
import { silent } from '../../../src/util/reporter.js';
import { EXAMPLE, exampleNetwork } from '../../reference/examples.js';
import { bitsOf, DEFAULTS } from '../conformance/models.js';

const network = exampleNetwork({ ...EXAMPLE, height: 16, width: 16, dropout: 0.2 });
const options = { device: 'cpu', threads: 2, setup: true, reporter: silent } as const;

/** A model with its initial weights. */
async function newModel(on: TensorFlowEngine) {
  const model = await on.createModel(network, DEFAULTS);
  await model.importState(initialState(network, initialValues(network, 1)));
  return model;
}

let engine: TensorFlowEngine;
beforeAll(async () => {
  engine = await createTensorFlowEngine(options);
});
afterAll(() => engine.dispose());

test('says which TensorFlow computes, and on what', () => {
  expect(engine.description).toBe('TensorFlow 2.21.0 on CPU, 2 threads');
  expect(engine.device).toBe('cpu');
});

test('no tensor is left behind: as many after 100 steps as after 2', async () => {
  const model = await newModel(engine);
  const train = async (from: number, to: number) => {
    for (let step = from; step < to; step++) {
      await model.train(randomBatch(network, 8, step), { learningRate: 0.1, step });
    }
    return (await engine.status()).liveTensors;
  };
  const few = await train(0, 2);
  expect(await train(2, 100)).toBe(few);
  await model.dispose();
});

test('two models of one engine do not disturb each other', async () => {
  const train = async (count: number) => {
    const models = await Promise.all(Array.from({ length: count }, () => newModel(engine)));
    const losses: number[] = [];
    for (let step = 0; step < 3; step++) {
      for (const model of models) {
        losses.push((await model.train(randomBatch(network, 4, step), { learningRate: 0.1, step })).loss);
      }
    }
    for (const model of models) await model.dispose();
    return losses;
  };
  const alone = await train(1);
  expect(await train(2)).toEqual(alone.flatMap((loss) => [loss, loss]));
});

test('batches that are handed over, in time or not, change no bit', async () => {
  const batches = [40, 40, 30, 40].map((size, step) => randomBatch(network, size, step));
  const train = async (handOver: (model: Model, index: number) => void) => {
    const model = await newModel(engine);
    const results: unknown[] = [];
    for (const [step, batch] of batches.entries()) {
      const under = model.train(batch, { learningRate: 0.1, step, accumulate: 1 + (step % 2) });
      handOver(model, step);
      results.push(await under, await model.predict(batch.images));
    }
    const state = bitsOf(await model.exportState());
    await model.dispose();
    return { results, state };
  };
  const without = await train(() => {});
  expect(
    await train((model, step) => {
      if (step < 3) model.handOver!(batches[step + 1]!.images);
      // Never given.
      if (step === 1) model.handOver!(new Float32Array(100_000));
    }),
  ).toEqual(without);
});

test('when its process dies, calls under way and later ones say so', async () => {
  const mortal = await createTensorFlowEngine(options);
  const model = await newModel(mortal);
  const call = model.train(randomBatch(network, 512, 1), { learningRate: 0.1, step: 0 });
  process.kill(mortal.pid!, 'SIGKILL');
  const message = 'the TensorFlow process was killed by SIGKILL';
  await expect(call).rejects.toMatchObject({ kind: 'engine', message: expect.stringContaining(message) });
  await expect(model.exportState()).rejects.toMatchObject({ kind: 'engine' });
  await mortal.dispose();
});

test('a GPU that is not there is an error, never a fallback', async () => {
  await expect(createTensorFlowEngine({ ...options, device: 'gpu', setup: false })).rejects.toMatchObject({
    kind: 'engine',
    remedy: expect.stringContaining('setup tensorflow --device gpu'),
  });
});
