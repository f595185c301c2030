import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunRecord, readRunRecords } from '../../src/runs/run-records.js';
import { hiddenByDamage, runState } from '../../src/runs/run-state.js';
import { expandSweep } from '../../src/sweep/expand.js';
import { type MadeRun, makeRun } from './make-run.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-state-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function quickstart(subset?: number) {
  const configs = [{ config: 'quickstart', set: [] }];
  const [run] = await expandSweep({ configs, set: [], grid: {}, seeds: [1], subset });
  return run!;
}

async function kind(made: MadeRun, subset?: number) {
  await makeRun(folder, 'quickstart', made);
  return runState(await quickstart(subset), await readRunRecords(folder)).kind;
}

describe('runState', () => {
  it('is finished where the same config and subset is finished', async () => {
    expect(await kind({})).toBe('finished');
    expect(await kind({ subset: 100 }, 100)).toBe('finished');
  });

  it.each<[string, MadeRun]>([
    ['seed', { set: ['training.seed=2'] }],
    ['value', { set: ['training.epochs=9'] }],
    ['subset', { subset: 100 }],
    ['dataset', { environment: { dataset: { name: 'fashion-mnist-mini', digest: '00' } } }],
    ['initial weights', { init: { file: '/weights.safetensors', sha256: '00', skipped: [] } }],
  ])('starts anew where only another %s is finished', async (_what, made) => {
    expect(await kind(made)).toBe('start');
  });

  it('resumes what was cut if it has a checkpoint', async () => {
    const run = await makeRun(folder, 'quickstart', { status: 'interrupted' });
    const state = async () => runState(await quickstart(), await readRunRecords(folder));
    expect((await state()).kind).toBe('start');
    await writeFile(run.checkpoint('last'), 'weights');
    expect(await state()).toMatchObject({ kind: 'resume', record: { folder: { name: run.name } } });
    const newer = await makeRun(folder, 'quickstart', { status: 'failed' });
    await writeFile(newer.checkpoint('previous'), 'weights');
    expect(await state()).toMatchObject({ kind: 'resume', record: { folder: { name: newer.name } } });
  });

  it.each([
    ['config', 'damaged'],
    ['config', 'lost'],
    ['environment', 'damaged'],
    ['result', 'damaged'],
  ] as const)('leaves to a person what may be the run: %s.json is %s', async (file, what) => {
    const run = await makeRun(folder, 'quickstart', { status: 'interrupted' });
    await (what === 'lost' ? rm(run[file]) : writeFile(run[file], '{'));
    const state = async (subset?: number) => runState(await quickstart(subset), await readRunRecords(folder));
    // Nothing can be lost.
    expect((await state()).kind).toBe('start');
    await writeFile(run.checkpoint('last'), 'weights');
    const found = await state();
    expect(found).toMatchObject({ kind: 'damaged', record: { folder: { name: run.name } } });
    expect(hiddenByDamage((found as { record: RunRecord }).record).message).toContain(`${file}.json`);
    // What can be read of it says that it is another.
    if (file !== 'result') expect((await state(100)).kind).toBe('start');
    const [other] = await expandSweep({
      configs: [{ config: 'quickstart', set: [] }],
      set: [],
      grid: {},
      seeds: [11],
    });
    expect(runState(other!, await readRunRecords(folder)).kind).toBe('start');
  });

  it('takes a run for what result.json says, whatever became of epochs.csv', async () => {
    const run = await makeRun(folder, 'quickstart', {});
    await writeFile(run.epochs, '\0');
    await writeFile(run.checkpoint('last'), 'weights');
    expect(runState(await quickstart(), await readRunRecords(folder)).kind).toBe('finished');
  });

  it('leaves alone what diverged, and what a process of another host trains', async () => {
    expect(await kind({ status: 'diverged' })).toBe('diverged');
    expect(await kind({ status: 'running', environment: { host: 'elsewhere' } })).toBe('at-work');
  });
});
