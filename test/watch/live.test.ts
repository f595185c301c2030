import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { NewEvent } from '../../src/runs/events.js';
import { readRunRecord } from '../../src/runs/run-records.js';
import { liveState } from '../../src/watch/live.js';
import { temporaryFolder } from '../program.js';
import { makeRun } from '../runs/make-run.js';

/** A run of eight epochs of ten seconds, of which two are done, and its log. */
async function running(...events: NewEvent[]) {
  const set = ['training.epochs=8', 'training.batchSize=10'];
  const folder = await makeRun(await temporaryFolder(), 'quickstart', { set, status: 'running' });
  const time = new Date().toISOString();
  const lines = events.map((event) => `${JSON.stringify({ time, session: '1@a', ...event })}\n`);
  await writeFile(folder.eventLog, lines.join(''));
  return readRunRecord(folder);
}

const progress = (epoch: number, done: number, part: 'train' | 'test' = 'train'): NewEvent => ({
  event: 'progress',
  epoch,
  part,
  done,
  total: 100,
  ...(part === 'train' ? { loss: 1, error: 50, imagesPerSecond: 200 } : {}),
});

test('the time left is what the last epochs took, less what is done', async () => {
  const live = liveState(await running(progress(3, 50)));
  expect(live.epoch).toMatchObject({ epoch: 3, done: 50 });
  expect(live.imagesPerSecond).toBe(200);
  expect(live.secondsInEpoch).toBe(2.5);
  expect(live.secondsLeft).toBeCloseTo(55, -1);
});

test('progress of an epoch that is done by now is not shown', async () => {
  const live = liveState(await running(progress(2, 50)));
  expect(live.epoch).toBeUndefined();
  expect(live.imagesPerSecond).toBe(100);
  expect(live.secondsLeft).toBe(60);
});

test('while images are evaluated, the steps of the epoch are done', async () => {
  const live = liveState(await running(progress(3, 100), progress(3, 10, 'test')));
  expect(live).toMatchObject({ epoch: { part: 'test', done: 10 }, loss: 1, secondsInEpoch: 5 });
  expect(live.secondsLeft).toBeCloseTo(50, -1);
});

test('before the first epoch is done, the steps say how long it takes', async () => {
  const record = await running(progress(1, 50));
  const live = liveState({ ...record, epochs: [] });
  // Eight epochs of 1,000 images at 200 a second.
  expect(live.secondsLeft).toBeCloseTo(37.5, -1);
});

test('a run without a log, as of an earlier version, is shown by its epochs', async () => {
  expect(liveState(await running())).toEqual({
    epoch: undefined,
    imagesPerSecond: 100,
    loss: undefined,
    secondsInEpoch: 0,
    secondsLeft: 60,
  });
});
