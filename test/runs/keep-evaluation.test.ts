import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { areItsImages, wouldBeResult } from '../../src/runs/keep-evaluation.js';
import { makeRun } from './make-run.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-evaluation-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('a result of a run is of its own images, all of them', async () => {
  const run = await makeRun(folder, 'quickstart');
  const { digest } = run.readEnvironment().dataset!;
  expect(areItsImages(run, { digest, skippedImages: [] })).toBe(true);
  expect(areItsImages(run, { digest: '00', skippedImages: [] })).toBe(false);
  expect(areItsImages(run, { digest, skippedImages: ['broken.jpg'] })).toBe(false);
});

test('a result of a run is of all test images and its last weights, once it is finished', async () => {
  const asked = { split: 'test', checkpoint: 'last' } as const;
  const finished = (await makeRun(folder, 'quickstart')).readResult();
  expect(wouldBeResult(finished, asked)).toBe(true);
  expect(wouldBeResult(finished, { ...asked, subset: 10 })).toBe(false);
  expect(wouldBeResult(finished, { ...asked, split: 'train' })).toBe(false);
  expect(wouldBeResult(finished, { ...asked, checkpoint: 'best' })).toBe(false);
  const cut = (await makeRun(folder, 'quickstart', { status: 'interrupted' })).readResult();
  expect(wouldBeResult(cut, asked)).toBe(false);
});
