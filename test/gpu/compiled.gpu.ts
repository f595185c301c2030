import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomBatch, randomWeights } from '../../src/engines/noise.js';
import { createTensorFlowEngine, type TensorFlowEngine } from '../../src/engines/tensorflow/index.js';
import { packageRoot } from '../../src/util/package.js';
import { silent } from '../../src/util/reporter.js';
import { DEFAULTS, untrained, withModel } from '../engines/conformance/models.js';
import { networkOfSubject, type Subject } from './networks.js';
import { difference, readCounters } from './null-gpu/counters.js';

const counters = join(process.env.XDG_CACHE_HOME!, `counters-${process.pid}`);
/** Deep enough for every kind of layer, and compiled in seconds. */
const SUBJECT: Subject = { config: 'cifar10plus-bc-100-12', set: ['network.depth=10'], images: 64 };
const { images } = SUBJECT;

/** Starts TensorFlow on the null GPU. */
async function start(compile: boolean): Promise<TensorFlowEngine> {
  const flags = process.env.XLA_FLAGS;
  process.env.NULL_GPU_COUNTERS = counters;
  // Command buffers record what cuBLAS and cuDNN launch, and these launch nothing here.
  process.env.XLA_FLAGS = `${flags ?? ''} --xla_gpu_enable_command_buffer=`;
  try {
    return await createTensorFlowEngine({
      ...{ device: 'gpu', threads: 2, setup: false, reporter: silent },
      batchSize: images,
      compile,
    });
  } finally {
    if (flags === undefined) delete process.env.XLA_FLAGS;
    else process.env.XLA_FLAGS = flags;
  }
}

let rows: string[];
beforeAll(async () => {
  const document = await readFile(join(packageRoot, 'docs', 'gpu.md'), 'utf8');
  rows = document.split('\n').filter((line) => /^\| with(out)? \|/.test(line));
});
afterAll(() => rm(counters, { force: true }));

test.each([
  ['without', false],
  ['with', true],
])('%s XLA, a step takes the launches that docs/gpu.md says', async (way, compile) => {
  const network = await networkOfSubject(SUBJECT);
  const engine = await start(compile);
  try {
    const from = untrained(network, randomWeights(network, 1));
    const step = await withModel(engine, network, DEFAULTS, from, async (model) => {
      const batch = randomBatch(network, images, 1);
      await model.train(batch, { learningRate: 0.1, step: 0 });
      await model.train(batch, { learningRate: 0.1, step: 1 });
      const before = readCounters(counters);
      await model.train(batch, { learningRate: 0.1, step: 2 });
      return difference(readCounters(counters), before);
    });
    const { kernels, libraryCalls, memsets, downloads } = step;
    expect(rows).toContain(`| ${way} | ${kernels} | ${libraryCalls} | ${memsets} | ${downloads} |`);
  } finally {
    await engine.dispose();
  }
});
