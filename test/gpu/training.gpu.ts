import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ModelOptions, ModelState } from '../../src/engines/engine.js';
import { randomBatch } from '../../src/engines/noise.js';
import { createTensorFlowEngine, type TensorFlowEngine } from '../../src/engines/tensorflow/index.js';
import type { Network } from '../../src/networks/network.js';
import { elementCount, parameters } from '../../src/networks/parameters.js';
import { packageRoot } from '../../src/util/package.js';
import { silent } from '../../src/util/reporter.js';
import type { Tensor } from '../../src/util/tensor.js';
import { DEFAULTS, untrained, withModel } from '../engines/conformance/models.js';
import { run, temporaryFolder } from '../program.js';
import { networkOfSubject, SMALL, type Subject, WHOLE } from './networks.js';
import { type Counts, difference, readCounters } from './null-gpu/counters.js';

/** What a batch may cost on its way to the device, in units of its own bytes. */
const ONE_COPY = 1.1;

const counters = join(process.env.XDG_CACHE_HOME!, `counters-${process.pid}`);
let engine: TensorFlowEngine;

beforeAll(async () => {
  process.env.NULL_GPU_COUNTERS = counters;
  engine = await createTensorFlowEngine({ device: 'gpu', threads: 2, setup: false, reporter: silent });
});
afterAll(async () => {
  await engine.dispose();
  await rm(counters);
});

/**
 * Does all that is asked of a model: training in three steps, one of them by micro-batches; prediction; export and
 * import. Returns what the last step did. Kernels of the null GPU do nothing, so numbers are not looked at.
 */
async function exercise(
  subject: Subject,
  options: Partial<ModelOptions> = {},
  on: TensorFlowEngine = engine,
): Promise<Counts> {
  const network = await networkOfSubject(subject);
  const start = distinctState(network);
  const batch = randomBatch(network, subject.images, 1);
  return withModel(on, network, { ...DEFAULTS, ...options }, start, async (model) => {
    expect(digest(await model.exportState())).toBe(digest(start));
    await model.train(batch, { learningRate: 0.1, step: 0 });
    await model.train(batch, { learningRate: 0.1, step: 1, accumulate: 2 });
    const before = readCounters(counters);
    await model.train(batch, { learningRate: 0.1, step: 2 });
    const step = difference(readCounters(counters), before);
    expect(await model.predict(batch.images)).toHaveLength(subject.images * network.classes);
    const state = await model.exportState();
    await model.importState(state);
    expect(digest(await model.exportState())).toBe(digest(state));
    expect(step.kernels).toBeGreaterThan(0);
    expect(step.uploadedBytes).toBeLessThanOrEqual(ONE_COPY * batch.images.byteLength);
    return step;
  });
}

/** Weights of which no two neighbours are the same: a copy that goes wrong shows. */
function distinctState(network: Network): ModelState {
  const weights = parameters(network).map(({ name, shape }, index): [string, Tensor] => [
    name,
    { shape, data: Float32Array.from({ length: elementCount(shape) }, (_, i) => 1 + ((i + index) % 1e6)) },
  ]);
  return untrained(network, new Map(weights));
}

/** Of every bit of a state, with the names and shapes of its tensors. */
function digest(state: ModelState): string {
  const hash = createHash('sha256');
  for (const tensors of [state.weights, state.momentum]) {
    for (const [name, { shape, data }] of tensors) {
      hash.update(`${name} ${shape}`);
      hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
  }
  return hash.digest('hex');
}

test.each(SMALL)('$config, made small with $set, trains in every way', async (subject) => {
  const kept = await exercise(subject);
  await exercise(subject, { precision: 'bfloat16' });
  const again = await exercise(subject, { memoryEfficient: true });
  expect(again.kernels).toBeGreaterThanOrEqual(kept.kernels);
});

/** The row of docs/gpu.md that says what a step did. */
function launches({ config, images }: Subject, way: string, counts: Counts): string {
  const { kernels, libraryCalls, memsets, downloads } = counts;
  return `| \`${config}\` | ${images} | ${way} | ${kernels} | ${libraryCalls} | ${memsets} | ${downloads} |`;
}

test.each(WHOLE)('$config takes the launches that docs/gpu.md says', async (subject) => {
  const document = await readFile(join(packageRoot, 'docs', 'gpu.md'), 'utf8');
  for (const precision of ['float32', 'bfloat16'] as const) {
    expect(document).toContain(launches(subject, precision, await exercise(subject, { precision })));
  }
});

test('the program takes the GPU by itself, trains on it, and says so in environment.json', async () => {
  const folder = await temporaryFolder();
  const args = ['train', '--config=smoke-fashion-mnist-mini', '--subset=64', '--json'];
  const { code, stdout, stderr } = await run(folder, args);
  expect(stderr).toContain('Engine: TensorFlow on the GPU (Null GPU 0, driver 575.00.00)');
  expect(code, stderr).toBe(0);
  const environment = join(folder, JSON.parse(stdout).run, 'environment.json');
  expect(JSON.parse(await readFile(environment, 'utf8')).engine).toEqual({
    name: 'tensorflow',
    device: 'gpu',
    kernels: 2,
    description: 'TensorFlow 2.21.0 on GPU (Null GPU 0, driver 575.00.00)',
    precision: 'float32, with TF32 switched off',
  });
});

test('the selftest comes to its end, and notices that this GPU computes nothing', async () => {
  const { code, stdout, stderr } = await run(await temporaryFolder(), ['selftest', '--device=gpu']);
  expect(code, stderr).toBe(4);
  expect(stdout).toMatch(/^DenseNet-BC .*: logits .* WRONG$/m);
  // What an engine throws stands in brackets.
  expect(stdout.match(/WRONG \((?!chosen for).*/g)).toBeNull();
  expect(stdout).toMatch(/^one step of DenseNet-BC .*\(chosen for .* of free memory\)$/m);
});

test('what does not fit into the memory of the GPU is said in two lines', async () => {
  const wide = ['--depth=16', '--basic', '--growth-rate=100', '--batch=4096', '--steps=1', '--warmup=0'];
  const args = ['bench', '--engine=tensorflow', '--device=gpu', '--quiet', ...wide];
  const { code, stderr } = await run(await temporaryFolder(), args);
  expect(stderr).toMatch(/^error: TensorFlow has too little memory for it\n[^\n]*smaller[^\n]*\n$/);
  expect(code).toBe(4);
});

test('bench peers measures on the GPU, and goes on from a table of the same device only', async () => {
  const folder = await temporaryFolder();
  const peers = [
    'bench',
    'peers',
    '--cases=bc-40-12',
    '--contenders=native,tensorflow',
    '--rounds=1',
    '--steps=1',
  ];
  const { code, stderr } = await run(folder, [...peers, '--device=gpu', '--output=.']);
  expect(code, stderr).toBe(0);
  const lines = parse(await readFile(join(folder, 'peers-gpu.csv'), 'utf8'), { columns: true });
  expect(lines).toMatchObject([
    { contender: 'tensorflow', device: expect.stringContaining('Null GPU'), n: '1' },
  ]);
  const resumed = await run(folder, [...peers, '--device=gpu', '--output=.', '--resume']);
  expect(resumed.stdout).toContain('measured in the run of 20');
  const again = await run(folder, [...peers, '--device=cpu', '--output=.', '--name=peers-gpu', '--resume']);
  expect(again.code).toBe(2);
  expect(again.stderr).toContain('was measured on another machine or device (Null GPU');
});
