import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readRunRecords } from '../../src/runs/run-records.js';
import { wantedKey } from '../../src/runs/run-state.js';
import { expandSweep } from '../../src/sweep/expand.js';
import type { QueueEntry } from '../../src/sweep/launchers/launcher.js';
import { readSubmissions, writeSubmission } from '../../src/sweep/launchers/submissions.js';
import { statusSheet, sweepStatus } from '../../src/sweep/status.js';
import { makeRun } from '../runs/make-run.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-status-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('says of each run what the disk and the queue know, and which are due', async () => {
  const configs = [{ config: 'quickstart', set: [] }];
  const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const runs = await expandSweep({ configs, set: [], grid: {}, seeds });
  const cut = async (seed: number, status: 'interrupted' | 'running', host?: string) => {
    const environment = host === undefined ? {} : { host };
    const run = await makeRun(folder, 'quickstart', { set: [`training.seed=${seed}`], status, environment });
    await writeFile(run.checkpoint('last'), 'weights');
  };
  await makeRun(folder, 'quickstart', { set: ['training.seed=1'] });
  await cut(2, 'interrupted');
  await cut(3, 'interrupted');
  await cut(4, 'running', 'elsewhere');
  await makeRun(folder, 'quickstart', { set: ['training.seed=5'], status: 'diverged', message: 'NaN' });
  const entry = (seed: number, state: QueueEntry['state'], reason?: string): [string, QueueEntry] => [
    wantedKey(runs[seed - 1]!),
    { id: `7_${seed}`, state, reason, log: join(folder, `slurm-7_${seed}.log`) },
  ];
  const queue = new Map([
    entry(1, undefined),
    entry(2, undefined),
    entry(3, 'waiting', 'BeginTime'),
    entry(4, 'running'),
    entry(6, 'waiting', 'Resources'),
    entry(7, 'running'),
    entry(8, undefined),
    entry(9, undefined),
  ]);
  await writeFile(join(folder, 'slurm-7_8.log'), '');
  const statuses = sweepStatus(runs, await readRunRecords(folder), queue);
  expect(statuses.flatMap(({ due }, index) => (due ? [index + 1] : []))).toEqual([2, 8, 9]);
  const { columns, rows, notes } = statusSheet(statuses);
  const column = (name: string) => rows.map((row) => row[columns.indexOf(name)]);
  expect(column('status')).toEqual([
    'finished',
    'interrupted',
    'waiting',
    'running',
    'diverged',
    'waiting',
    'starting',
    'failed',
    'not started',
  ]);
  expect(column('queue')).toEqual(['7_1', '7_2', '7_3', '7_4', '', '7_6', '7_7', '7_8', '7_9']);
  expect(column('problem')).toEqual([
    '',
    '',
    'BeginTime',
    '',
    'NaN',
    'Resources',
    '',
    `see ${join(folder, 'slurm-7_8.log')}`,
    '',
  ]);
  expect(notes).toEqual([
    '9 runs: 1 finished, 1 interrupted, 2 waiting, 1 running, 1 diverged, 1 starting, 1 failed, 1 not started.',
  ]);
});

it('reads what was submitted, oldest first, and leaves out what is no record', async () => {
  expect(await readSubmissions(folder, 'slurm')).toEqual([]);
  const submission = (job: string, submitted: string) => ({
    launcher: 'slurm',
    job,
    submitted,
    tasks: ['00'],
  });
  await mkdir(join(folder, 'sweeps'));
  await writeSubmission(folder, submission('9', '2026-01-01'));
  await writeSubmission(folder, submission('10', '2026-01-02'));
  await writeFile(join(folder, 'sweeps', 'slurm-11.json'), '{"job": 11');
  await writeFile(join(folder, 'sweeps', 'slurm-9_1.log'), '');
  execFileSync('mkfifo', [join(folder, 'sweeps', 'pipe.json')]);
  await writeFile(join(folder, 'sweeps', 'huge.json'), '');
  await truncate(join(folder, 'sweeps', 'huge.json'), 2 ** 40);
  expect((await readSubmissions(folder, 'slurm')).map(({ job }) => job)).toEqual(['9', '10']);
  expect(await readSubmissions(folder, 'local')).toEqual([]);
});
