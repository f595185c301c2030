import { expect, test } from 'vitest';
import { loadExperiment } from '../../src/config/load.js';
import type { Gpu } from '../../src/engines/engine.js';
import { checkSameData, dividedAmong, withOwnGpu } from '../../src/training/divide.js';
import { UserError } from '../../src/util/errors.js';

const experiment = (batchSize: number, accumulate: number) =>
  loadExperiment('smoke-fashion-mnist-mini', {
    set: [`training.batchSize=${batchSize}`, `training.accumulate=${accumulate}`],
  });
const accumulated = async (batchSize: number, accumulate: number, processes: number, resumed = false) =>
  dividedAmong(await experiment(batchSize, accumulate), processes, { resumed }).training.accumulate;

test('n processes are accumulate: n, and a multiple of it stays', async () => {
  expect(await accumulated(64, 1, 4)).toBe(4);
  expect(await accumulated(64, 8, 4)).toBe(8);
  expect(await accumulated(64, 4, 1)).toBe(4);
  expect(await accumulated(64, 4, 2, true)).toBe(4);
});

test.each([
  [
    64,
    4,
    3,
    false,
    '3 processes',
    'Start 1, 2 or 4 processes, or set training.accumulate to a multiple of 3.',
  ],
  [64, 1, 3, false, 'a batch of 64 images', 'or set training.batchSize to a multiple of 3.'],
  [64, 1, 2, true, 'its training.accumulate is 1', 'Resume it with 1 process.'],
  [64, 4, 8, true, 'its training.accumulate is 4', 'Resume it with 1, 2 or 4 processes.'],
])(
  'batch %i, accumulate %i on %i processes, resumed: %s',
  async (batch, accumulate, processes, resumed, ...said) => {
    const error = await accumulated(batch, accumulate, processes, resumed).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toContain(said[0]);
    expect(error.remedy).toContain(said[1]);
  },
);

test('each process of a host has the GPU of its number, unless it is shown or told one', async () => {
  const gpus = [0, 1].map((index): Gpu => {
    return { index, visibleDevice: `${index}`, name: `GPU ${index}`, capability: [8, 0], memory: 1 };
  });
  const search = async () => ({ gpus });
  const choice = { engine: 'tensorflow', device: 'gpu', gpu: gpus[0]!, reason: 'as asked' } as const;
  const own = async (
    localRank: number,
    { size = 2, asked = undefined as number | undefined, shown = '' } = {},
  ) => withOwnGpu(choice, { size, localRank }, asked, { search, shown: shown || undefined });
  expect((await own(1)).gpu).toBe(gpus[1]);
  expect(await own(0)).toEqual(choice);
  expect((await own(1, { shown: '0,1' })).gpu).toBe(gpus[1]);
  expect((await own(1, { shown: '3' })).gpu).toBe(gpus[0]);
  expect(await own(1, { size: 1 })).toBe(choice);
  expect((await own(0, { asked: 1 })).gpu).toBe(gpus[1]);
  await expect(own(2)).rejects.toThrow(UserError);
});

test('processes that have other data than the first are told which', async () => {
  const group = (digests: string[]) => ({
    size: 3,
    hosts: ['one', 'two', 'three'],
    gatherJson: async <T>() => digests as T[],
  });
  await checkSameData(group(['a', 'a', 'a']), 'a');
  await expect(checkSameData(group(['a', 'a', 'b']), 'a')).rejects.toThrow(
    'process 3 of 3, on three, has other data than process 1, on one',
  );
});
