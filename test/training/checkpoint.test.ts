import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadExperiment } from '../../src/config/load.js';
import type { Network } from '../../src/networks/network.js';
import { initialValues } from '../../src/networks/parameters.js';
import { weightsFile } from '../../src/networks/weights.js';
import { RunFolder } from '../../src/runs/run-folder.js';
import {
  initialState,
  loadCheckpoint,
  loadNewestCheckpoint,
  loadWeights,
  NO_PROGRESS,
  type Origin,
  saveCheckpoint,
  saveWeights,
} from '../../src/training/checkpoint.js';
import { networkOf } from '../../src/training/model.js';
import { silent } from '../../src/util/reporter.js';
import { encodeSafetensors } from '../../src/util/safetensors.js';

let folder: string;
let network: Network;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-test-'));
  network = networkOf(await loadExperiment('smoke-cifar10'));
});
afterAll(() => rm(folder, { recursive: true }));

const origin: Origin = {
  subset: 320,
  engine: { name: 'native', device: 'cpu', description: 'native engine' },
};

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
  await saveCheckpoint(path, { state: state(), progress, origin });
  const loaded = await loadCheckpoint(path, network);
  expect(loaded.progress).toEqual(progress);
  expect(loaded.state).toEqual(state());
  expect(loaded.origin).toEqual(origin);
  expect(await loadWeights(path, network)).toEqual({
    weights: state().weights,
    trained: { epochs: 3, steps: 7 },
  });
});

test('a checkpoint of another network is refused, with the names that differ', async () => {
  const path = join(folder, 'b.safetensors');
  await saveCheckpoint(path, { state: state(), progress: NO_PROGRESS, origin });
  const other = networkOf(await loadExperiment('smoke-cifar100'));
  await expect(loadCheckpoint(path, other)).rejects.toMatchObject({
    kind: 'data',
    message: expect.stringContaining('classifier.weight'),
  });
});

test('a checkpoint cut short at any length is refused', async () => {
  const path = join(folder, 'c.safetensors');
  await saveCheckpoint(path, { state: state(), progress: NO_PROGRESS, origin });
  const whole = await readFile(path);
  for (const length of [0, 7, 8, 100, 5000, whole.length - 1]) {
    await writeFile(path, whole.subarray(0, length));
    await expect(loadCheckpoint(path, network)).rejects.toMatchObject({ kind: 'data' });
  }
});

test('weights without a training state can start a run but not resume one', async () => {
  const path = join(folder, 'd.safetensors');
  const { weights } = state();
  await saveCheckpoint(path, {
    state: { weights, momentum: new Map() },
    progress: NO_PROGRESS,
    origin,
  });
  await expect(loadCheckpoint(path, network)).rejects.toMatchObject({
    kind: 'data',
    remedy: expect.stringContaining('--init'),
  });
});

describe('damage', () => {
  const flip = async (path: string, at: number, bit: number) => {
    const bytes = await readFile(path);
    bytes[at]! ^= 1 << bit;
    await writeFile(path, bytes);
  };
  const damaged = { kind: 'data', message: expect.stringMatching(/\.safetensors: /) };

  test('of any bit of a checkpoint or of best weights is noticed wherever it is read', async () => {
    const last = join(folder, 'e.safetensors');
    const best = join(folder, 'f.safetensors');
    await saveCheckpoint(last, { state: state(), progress: NO_PROGRESS, origin });
    await saveWeights(best, network, state().weights, { epoch: 2, steps: 20 });
    expect((await loadWeights(best, network)).trained).toEqual({ epochs: 2, steps: 0 });
    for (const [path, load] of [
      [last, loadCheckpoint],
      [last, loadWeights],
      [best, loadWeights],
    ] as const) {
      const { length } = await readFile(path);
      // The key under which the digest stands is the one place whose damage changes nothing.
      const header = (await readFile(path)).indexOf('"densenet.sha256":"') + 19;
      const places = fc.tuple(fc.integer({ min: header, max: length - 1 }), fc.integer({ min: 0, max: 7 }));
      await fc.assert(
        fc.asyncProperty(places, async ([at, bit]) => {
          await flip(path, at, bit);
          await expect(load(path, network)).rejects.toMatchObject(damaged);
          await flip(path, at, bit);
        }),
        { numRuns: 30 },
      );
      await load(path, network);
    }
  });

  test('of the newest checkpoint costs the way from the one before', async () => {
    const run = new RunFolder(join(folder, 'run'), 'x/run');
    const [last, previous] = [run.checkpoint('last'), run.checkpoint('previous')];
    await mkdir(join(run.path, 'checkpoint'), { recursive: true });
    for (const epochs of [1, 2, 3]) {
      await saveCheckpoint(last, { state: state(), progress: { ...NO_PROGRESS, epochs }, origin }, previous);
    }
    expect((await loadCheckpoint(previous, network)).progress.epochs).toBe(2);
    await flip(last, (await readFile(last)).length - 10, 3);
    const said: string[] = [];
    const reporter = { ...silent, warn: (text: string) => said.push(text) };
    expect((await loadNewestCheckpoint(run, network, reporter)).progress.epochs).toBe(2);
    expect(said).toEqual([expect.stringContaining('last.safetensors: it is damaged')]);
    // Now the one before is the last: it cannot be lost to the damaged one.
    expect((await loadCheckpoint(last, network)).progress.epochs).toBe(2);
    expect(existsSync(previous)).toBe(false);
  });

  test('that cannot be put aside is said', async () => {
    const run = new RunFolder(join(folder, 'folder'), 'x/folder');
    await mkdir(run.checkpoint('last'), { recursive: true });
    await saveCheckpoint(run.checkpoint('previous'), { state: state(), progress: NO_PROGRESS, origin });
    await expect(loadNewestCheckpoint(run, network, silent)).rejects.toMatchObject({
      kind: 'data',
      remedy: expect.stringContaining('Move away what has this name'),
    });
  });

  test('of both is said of the newest', async () => {
    const run = new RunFolder(join(folder, 'lost'), 'x/lost');
    await mkdir(join(run.path, 'checkpoint'), { recursive: true });
    await writeFile(run.checkpoint('last'), 'x');
    await writeFile(run.checkpoint('previous'), 'x');
    await expect(loadNewestCheckpoint(run, network, silent)).rejects.toMatchObject({
      message: expect.stringContaining('last.safetensors'),
    });
  });
});

test('checkpoints and best weights of earlier versions, without digest and origin, are read', async () => {
  const path = join(folder, 'old.safetensors');
  const { weights, momentum } = state();
  const tensors = new Map([...weights, ...[...momentum].map(([k, v]) => [`momentum.${k}`, v] as const)]);
  const progress = JSON.stringify({ epochs: 4, stepsInEpoch: 0, seconds: 3, history: [] });
  await writeFile(path, encodeSafetensors(tensors, { 'densenet.progress': progress }));
  const loaded = await loadCheckpoint(path, network);
  expect(loaded).toEqual({
    state: state(),
    progress: { ...NO_PROGRESS, epochs: 4, seconds: 3 },
    origin: undefined,
  });
  await mkdir(join(folder, 'best'));
  await writeFile(join(folder, 'best', 'best.safetensors'), weightsFile(network, weights));
  await writeFile(join(folder, 'best', 'best.json'), JSON.stringify({ epoch: 7, testError: 5 }));
  const best = await loadWeights(join(folder, 'best', 'best.safetensors'), network);
  expect(best.trained).toEqual({ epochs: 7, steps: 0 });

  // What lies beside the weights need not be ours.
  await rm(join(folder, 'best', 'best.json'));
  execFileSync('mkfifo', [join(folder, 'best', 'best.json')]);
  const beside = await loadWeights(join(folder, 'best', 'best.safetensors'), network);
  expect(beside.trained).toBeUndefined();
});
