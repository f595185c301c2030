import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { bits, run, temporaryFolder } from '../program.js';

/** Eight epochs of ten steps on real images: a second or two, long enough to be stopped in the middle. */
export const SMALL = [
  'train',
  '--config=smoke-fashion-mnist-mini',
  '--subset=320',
  '--set=training.batchSize=32',
  '--set=training.epochs=8',
  '--set=dataset.augmentation=[shift,mirror]',
  '--set=network.dropout=0.2',
  '--engine=native',
];

/** The one run of SMALL in a folder. */
export async function onlyRun(folder: string): Promise<string> {
  const experiment = join(folder, 'results', 'runs', 'smoke-fashion-mnist-mini');
  const runs = await readdir(experiment);
  expect(runs).toHaveLength(1);
  return join(experiment, runs[0]!);
}

/** A run of SMALL that nothing stops: its folder. */
export async function uninterrupted(): Promise<string> {
  const folder = await temporaryFolder();
  expect((await run(folder, SMALL)).code).toBe(0);
  return onlyRun(folder);
}

let expected: ReturnType<typeof bits> | undefined;

/** What every run of SMALL must come to, however often it was stopped. */
export function expectedBits(): ReturnType<typeof bits> {
  expected ??= uninterrupted().then(bits);
  return expected;
}
