import { afterAll, beforeAll, expect, test } from 'vitest';
import { checks } from '../../../src/engines/native/checks.js';
import { createNativeEngine, measurePeak, type NativeEngine } from '../../../src/engines/native/index.js';
import { loadNative } from '../../../src/engines/native/loader.js';
import { randomBatch, randomWeights } from '../../../src/engines/noise.js';
import { silent } from '../../../src/util/reporter.js';
import { EXAMPLE, exampleNetwork } from '../../reference/examples.js';
import { bitsOf, DEFAULTS, untrained, withModel } from '../conformance/models.js';

const network = exampleNetwork({ ...EXAMPLE, height: 8, width: 8, classes: 4 });
const start = untrained(network, randomWeights(network, 1));

let engine: NativeEngine;
beforeAll(async () => {
  engine = await createNativeEngine({ device: 'auto', threads: 2, setup: true, reporter: silent });
});
afterAll(() => engine.dispose());

test('says what it is', () => {
  expect(engine).toMatchObject({ name: 'native', device: 'cpu' });
  expect(engine.description).toMatch(/^native engine on CPU \(.+\), 2 threads$/);
});

test('refuses a GPU', async () => {
  const options = { device: 'gpu', setup: true, reporter: silent } as const;
  await expect(createNativeEngine(options)).rejects.toMatchObject({ name: 'UserError', kind: 'engine' });
});

test('refuses bfloat16 where the processor has no instruction for it, in one line', async () => {
  const { bfloat16Instructions } = await loadNative({ setup: true, reporter: silent });
  const model = engine.createModel(network, { ...DEFAULTS, precision: 'bfloat16' });
  if (bfloat16Instructions) return (await model).dispose();
  await expect(model).rejects.toMatchObject({
    name: 'UserError',
    kind: 'engine',
    message: expect.stringMatching(
      /^bfloat16 would be slower than float32 here: .+ has no bfloat16 dot product$/,
    ),
    remedy: 'Use precision float32.',
  });
});

test('memory does not grow over 1,000 steps', async () => {
  const batch = randomBatch(network, 8, 1);
  await withModel(engine, network, DEFAULTS, start, async (model) => {
    const run = async (steps: number) => {
      for (let step = 0; step < steps; step++) {
        await model.train(batch, { learningRate: 0.01, step });
        if (step % 10 === 0) await model.predict(batch.images);
      }
      return process.memoryUsage();
    };
    const before = await run(500);
    const after = await run(1000);
    expect(after.rss - before.rss).toBeLessThan(16e6);
    expect(after.external - before.external).toBeLessThan(4e6);
  });
});

test('two models trained at the same time do not touch each other', async () => {
  const train = (seed: number, steps: number) =>
    withModel(engine, network, DEFAULTS, start, async (model) => {
      for (let step = 0; step < steps; step++) {
        await model.train(randomBatch(network, 6, seed + step), { learningRate: 0.05, step });
      }
      return bitsOf(await model.exportState());
    });
  const alone = [await train(10, 20), await train(50, 20)];
  expect(await Promise.all([train(10, 20), train(50, 20)])).toEqual(alone);
  expect(alone[0]).not.toEqual(alone[1]);
});

test('a loss that is not a number is reported, not hidden', async () => {
  const weights = randomWeights(network, 1);
  weights.get('features.denseblock1.denselayer1.conv1.weight')!.data[0] = Number.NaN;
  await withModel(engine, network, DEFAULTS, untrained(network, weights), async (model) => {
    const { loss } = await model.train(randomBatch(network, 4, 1), { learningRate: 0.1, step: 0 });
    expect(loss).toBeNaN();
  });
});

test('the profile covers the step and counts the operations of its products', async () => {
  const batch = randomBatch(network, 32, 1);
  const model = await engine.createModel(network, DEFAULTS);
  await model.importState(start);
  await model.train(batch, { learningRate: 0.01, step: 0 });
  model.profile();
  const begin = performance.now();
  await model.train(batch, { learningRate: 0.01, step: 1 });
  const elapsed = (performance.now() - begin) / 1e3;
  const entries = model.profile();
  await model.dispose();
  const seconds = entries.reduce((sum, entry) => sum + entry.seconds, 0);
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThan(elapsed);
  // conv0: 3×3 on 3 channels to 8, at 64 pixels of 32 images; twice as much backward.
  const first = (pass: string) => entries.find((entry) => entry.pass === `first convolution ${pass}`);
  expect(first('forward')).toMatchObject({ stage: 'conv0', operations: 2 * 27 * 8 * 64 * 32 });
  expect(first('backward')!.operations).toBe(2 * first('forward')!.operations);
});

test('measures a peak that a processor core can have', async () => {
  for (const threads of [1, 2]) {
    const peak = await measurePeak(threads);
    expect(peak).toBeGreaterThan(threads * 0.5e9);
    expect(peak).toBeLessThan(threads * 1e12);
  }
});

test('doctor finds the compiler and the built engine', async () => {
  const list = await checks();
  expect(list.map(({ name }) => name)).toEqual(['C++ compiler', 'native engine']);
  expect(list.every(({ ok }) => ok)).toBe(true);
  expect(list[1]!.found).toContain('vectors');
});
