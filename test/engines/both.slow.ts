import { afterAll, beforeAll, expect, test } from 'vitest';
import { createNativeEngine } from '../../src/engines/native/index.js';
import { createTensorFlowEngine } from '../../src/engines/tensorflow/index.js';
import { silent } from '../../src/util/reporter.js';
import { distance } from '../reference/compare.js';
import type { TestedEngine } from './conformance/models.js';
import { initial, quickstart, trainExperiment } from './real-images.js';

let engines: TestedEngine[];
beforeAll(async () => {
  const options = { device: 'cpu', threads: 2, setup: true, reporter: silent } as const;
  engines = [await createNativeEngine(options), await createTensorFlowEngine(options)];
});
afterAll(() => Promise.all(engines.map((engine) => engine.dispose())));

/** A small learning rate: with a large one the least difference in rounding grows a hundredfold in a few steps. */
test('from one state, 20 steps on real images end alike on both engines', async () => {
  const run = await quickstart({ set: ['training.learningRate.initial=0.003'] });
  const trained = [];
  for (const engine of engines) trained.push(await trainExperiment(engine, run, 20, async () => undefined));
  const [native, tensorflow] = trained.map(({ losses, state }) => ({ losses, weights: state.weights }));
  for (const [step, loss] of native!.losses.entries())
    expect(Math.abs(loss / tensorflow!.losses[step]! - 1)).toBeLessThan(2e-3);
  const { weights: start } = initial(run);
  let change = 0;
  let difference = 0;
  for (const [name, { data }] of native!.weights) {
    change += distance(data, start.get(name)!.data) ** 2;
    difference += distance(data, tensorflow!.weights.get(name)!.data) ** 2;
  }
  expect(Math.sqrt(difference / change)).toBeLessThan(0.02);
  expect(native!.losses[19]).toBeLessThan(0.97 * native!.losses[0]!);
});
