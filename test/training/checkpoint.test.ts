import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadExperiment } from '../../src/config/load.js';
import type { Network } from '../../src/networks/network.js';
import { initialValues } from '../../src/networks/parameters.js';
import {
  initialState,
  loadCheckpoint,
  loadWeights,
  NO_PROGRESS,
  saveCheckpoint,
} from '../../src/training/checkpoint.js';
import { networkOf } from '../../src/training/model.js';

let folder: string;
let network: Network;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-test-'));
  network = networkOf(await loadExperiment('smoke-cifar10'));
});
afterAll(() => rm(folder, { recursive: true }));

function state() {
  const { weights, momentum } = initialState(network, initialValues(network, 1));
  let value = 0;
  for (const { data } of momentum.values()) for (let i = 0; i < data.length; i++) data[i] = Math.sin(value++);
  return { weights, momentum };
}

test('a checkpoint gives back state and progress to the bit', async () => {
  const path = join(folder, 'a.safetensors');
  const progress = {
    ...NO_PROGRESS,
    epochs: 3,
    stepsInEpoch: 7,
    seen: 448,
    lossSum: 0.1 + 0.2,
    seconds: 1 / 3,
  };
  await saveCheckpoint(path, state(), progress);
  const loaded = await loadCheckpoint(path, network);
  expect(loaded.progress).toEqual(progress);
  expect(loaded.state).toEqual(state());
  expect(await loadWeights(path, network)).toEqual(state().weights);
});

test('a checkpoint of another network is refused, with the names that differ', async () => {
  const path = join(folder, 'b.safetensors');
  await saveCheckpoint(path, state(), NO_PROGRESS);
  const other = networkOf(await loadExperiment('smoke-cifar100'));
  await expect(loadCheckpoint(path, other)).rejects.toMatchObject({
    kind: 'data',
    message: expect.stringContaining('classifier.weight'),
  });
});

test('a checkpoint cut short at any length is refused', async () => {
  const path = join(folder, 'c.safetensors');
  await saveCheckpoint(path, state(), NO_PROGRESS);
  const whole = await readFile(path);
  for (const length of [0, 7, 8, 100, 5000, whole.length - 1]) {
    await writeFile(path, whole.subarray(0, length));
    await expect(loadCheckpoint(path, network)).rejects.toMatchObject({ kind: 'data' });
  }
});

test('weights without a training state can start a run but not resume one', async () => {
  const path = join(folder, 'd.safetensors');
  const { weights } = state();
  await saveCheckpoint(path, { weights, momentum: new Map() }, NO_PROGRESS);
  await expect(loadCheckpoint(path, network)).rejects.toMatchObject({
    kind: 'data',
    remedy: expect.stringContaining('--init'),
  });
});
