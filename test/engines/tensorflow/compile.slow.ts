import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomBatch, randomWeights } from '../../../src/engines/noise.js';
import { createTensorFlowEngine, type TensorFlowEngine } from '../../../src/engines/tensorflow/index.js';
import { silent } from '../../../src/util/reporter.js';
import { relativeError } from '../../reference/compare.js';
import { EXAMPLE, exampleNetwork } from '../../reference/examples.js';
import { RESIDUAL_EXAMPLE, residualNetwork } from '../../reference/residual-examples.js';
import { DEFAULTS, untrained, withModel } from '../conformance/models.js';

const BATCH = 8;
const options = { device: 'cpu', threads: 2, batchSize: BATCH, setup: true, reporter: silent } as const;
const network = exampleNetwork({ ...EXAMPLE, dropout: 0.2 });

/** A process whose cache of compiled code, and nothing else, lies in `folder`. */
async function compilingEngine(folder: string): Promise<TensorFlowEngine> {
  const flags = process.env.TF_XLA_FLAGS;
  process.env.TF_XLA_FLAGS = `${flags ?? ''} --tf_xla_persistent_cache_directory=${folder}`;
  try {
    return await createTensorFlowEngine({ ...options, compile: true });
  } finally {
    if (flags === undefined) delete process.env.TF_XLA_FLAGS;
    else process.env.TF_XLA_FLAGS = flags;
  }
}

/** Trains once on each batch, then predicts the first. */
async function train(engine: TensorFlowEngine, sizes: readonly number[]) {
  const start = untrained(network, randomWeights(network, 1));
  return withModel(engine, network, DEFAULTS, start, async (model) => {
    const losses: number[] = [];
    for (const [step, size] of sizes.entries()) {
      const { loss } = await model.train(randomBatch(network, size, step), { learningRate: 0.05, step });
      losses.push(loss);
    }
    const logits = await model.predict(randomBatch(network, sizes[0]!, 0).images);
    return { losses, logits, state: await model.exportState() };
  });
}

describe('compiled by XLA', { timeout: 600_000 }, () => {
  let engine: TensorFlowEngine;
  let cache: string;
  beforeAll(async () => {
    cache = await mkdtemp(join(tmpdir(), 'densenet-test-'));
    engine = await compilingEngine(cache);
  });
  afterAll(async () => {
    await engine.dispose();
    await rm(cache, { recursive: true });
  });

  /** What was compiled and when. */
  async function compiled(): Promise<[name: string, written: number][]> {
    const names = (await readdir(cache)).sort();
    return Promise.all(names.map(async (name) => [name, (await stat(join(cache, name))).mtimeMs]));
  }

  test('batches of another size than the usual one are not', async () => {
    await train(engine, [3, 2, 3]);
    expect(await compiled()).toEqual([]);
  });

  test('drops the same values and comes to the same weights', async () => {
    const ours = await train(engine, [BATCH, BATCH, 3]);
    expect((await compiled()).length).toBeGreaterThan(0);
    const other = await createTensorFlowEngine(options);
    const plain = await train(other, [BATCH, BATCH, 3]).finally(() => other.dispose());
    expect(relativeError(ours.losses, plain.losses)).toBeLessThan(1e-5);
    expect(relativeError(ours.logits, plain.logits)).toBeLessThan(1e-4);
    for (const [name, { data }] of plain.state.weights) {
      expect(relativeError(ours.state.weights.get(name)!.data, data), name).toBeLessThan(1e-4);
    }
  });

  test('another process finds what was compiled, and computes the same bits', async () => {
    const [ours, before] = [await train(engine, [BATCH, BATCH]), await compiled()];
    const second = await compilingEngine(cache);
    expect(await train(second, [BATCH, BATCH]).finally(() => second.dispose())).toEqual(ours);
    expect(await compiled()).toEqual(before);
  });

  test('not with stochastic depth, which says why', async () => {
    const branching = residualNetwork({ ...RESIDUAL_EXAMPLE, survival: 0.5 });
    await expect(engine.createModel(branching, DEFAULTS)).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringContaining('stochastic depth'),
    });
  });
});
