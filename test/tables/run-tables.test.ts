import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRunRecord } from '../../src/runs/run-records.js';
import { comparison, differenceSheet, RUN_COLUMNS, runRow, sortRows } from '../../src/tables/run-tables.js';
import { makeRun } from '../runs/make-run.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-run-tables-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function record(config: string, run: Parameters<typeof makeRun>[2] = {}) {
  return readRunRecord(await makeRun(folder, config, run));
}

describe('runRow', () => {
  it('says what a run is and came to', async () => {
    const row = runRow(await record('cifar10plus-bc-100-12', { errors: [60, 4.123, 5] }));
    expect(row).toMatchObject({
      status: 'finished',
      method: 'DenseNet-BC (k=12)',
      depth: 100,
      dataset: 'C10+',
      seed: 1,
      epochs: 3,
      of: 300,
      test_error: 5,
      top5_error: undefined,
      best: 4.12,
      paper: 4.51,
      parameters: 769_162,
      seconds: 30,
      engine: 'native cpu',
    });
    expect(Object.keys(row).sort()).toEqual([...RUN_COLUMNS].sort());
  });

  it('leaves empty what was not measured', async () => {
    const row = runRow(await record('quickstart', { errors: [], status: 'diverged', message: 'NaN' }));
    expect(row).toMatchObject({ status: 'diverged', test_error: undefined, best: undefined, problem: 'NaN' });
  });
});

describe('sortRows', () => {
  const rows = [{ run: 'b', error: 10 }, { run: 'a' }, { run: 'c', error: 9.5 }];

  it('sorts numbers as numbers, and puts empty cells last in both directions', () => {
    expect(sortRows(rows, ['run', 'error'], 'error').map(({ run }) => run)).toEqual(['c', 'b', 'a']);
    expect(sortRows(rows, ['run', 'error'], '-error').map(({ run }) => run)).toEqual(['b', 'c', 'a']);
    expect(sortRows(rows, ['run', 'error'], 'run').map(({ run }) => run)).toEqual(['a', 'b', 'c']);
  });

  it('offers the columns there are', () => {
    expect(() => sortRows(rows, ['run', 'error'], 'eror')).toThrow("there is no column 'eror'");
  });
});

describe('comparison and difference', () => {
  it('names only the config values that differ, and the results of each', async () => {
    const a = await record('quickstart', { errors: [50, 20] });
    const b = await record('quickstart', {
      set: ['training.seed=2', 'network.depth=40'],
      errors: [50, 18.5],
    });
    const { columns, rows } = comparison([a, b]);
    expect(columns.slice(0, 3)).toEqual(['run', 'network.depth', 'training.seed']);
    expect(rows[1]).toMatchObject({ 'network.depth': 40, 'training.seed': 2, test_error: 18.5 });

    const sheet = differenceSheet(a, b);
    expect(sheet.rows).toContainEqual(['network.depth', '22', '40', '']);
    expect(sheet.rows).toContainEqual(['test_error', '20.00', '18.50', '−1.50']);
    expect(sheet.rows.map(([key]) => key)).not.toContain('paper');
  });

  it('says that the configs are the same', async () => {
    const [a, b] = [await record('quickstart'), await record('quickstart')];
    expect(differenceSheet(a, b).notes).toEqual(['The configs are the same.']);
    expect(comparison([a, b]).columns[1]).toBe('status');
  });

  it('compares runs of different datasets, one of them in the paper', async () => {
    const a = await record('cifar10plus-bc-100-12');
    const b = await record('svhn-40-12');
    const { columns, rows } = comparison([a, b]);
    expect(columns).toContain('dataset.name');
    expect(columns.filter((column) => column.startsWith('paper'))).toEqual(['paper']);
    expect(rows.map((row) => row.paper)).toEqual([4.51, 1.79]);
  });
});
