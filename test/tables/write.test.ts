import { cpSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { loadExperiment } from '../../src/config/load.js';
import type { Experiment } from '../../src/config/schema.js';
import type { FinishedRun } from '../../src/runs/finished-runs.js';
import { updateTables, writeTables } from '../../src/tables/write.js';
import { silent } from '../../src/util/reporter.js';
import { ENVIRONMENT, makeRun } from '../runs/make-run.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-tables-'));
});
afterEach(() => rm(folder, { recursive: true }));

type Row = Record<string, string>;

async function table(name: string): Promise<Row[]> {
  return parse<Row>(await readFile(join(folder, `${name}.csv`)), { columns: true });
}

async function measured(): Promise<Row[]> {
  return (await table('test-error')).filter((row) => row.source === 'measured');
}

let runs = 0;

async function run(
  config: string,
  testError: number,
  changes: {
    set?: string[];
    subset?: number;
    init?: boolean;
    dataRemark?: string;
    parameters?: number;
    top5Error?: number;
    tenCrop?: FinishedRun['tenCrop'];
  } = {},
): Promise<FinishedRun> {
  const { set, init = false, parameters = 769_162, ...others } = changes;
  const experiment = await loadExperiment(config, { set });
  const name = `${experiment.name}/20261124-${String(++runs).padStart(6, '0')}-seed-${experiment.training.seed}`;
  return { name, experiment, parameters, testError, init, ...others };
}

describe('test-error.csv', () => {
  it('begins with Table 2 as printed, and leaves empty what was not measured', async () => {
    await writeTables(folder, []);
    const rows = await table('test-error');
    expect(Object.keys(rows[0]!).slice(0, 12)).toEqual([
      'method',
      'depth',
      'params',
      'C10',
      'C10+',
      'C100',
      'C100+',
      'SVHN',
      'source',
      'n',
      'mean',
      'sd',
    ]);
    expect(rows).toHaveLength(21);
    expect(rows.every((row) => row.source === 'paper')).toBe(true);
    expect(rows.at(-1)).toMatchObject({
      method: 'DenseNet-BC (k=40)',
      depth: '190',
      params: '25.6M',
      C10: '',
      'C10+': '3.46',
      C100: '',
      'C100+': '17.18',
      SVHN: '',
      n: '',
    });
    expect(rows.find((row) => row.method === 'DenseNet (k=12)' && row.depth === '40')?.C10).toBe('7.00');
  });

  it('has the top-5 errors of the runs that counted them', async () => {
    await writeTables(folder, [
      await run('cifar100-40-12', 27, { top5Error: 7.5, tenCrop: { error: 26, top5Error: 7 } }),
      await run('cifar100-40-12', 28, { set: ['training.seed=2'], top5Error: 8.5 }),
      await run('cifar100-40-12', 29, { set: ['training.seed=3'] }),
      await run('cifar10-40-12', 7),
    ]);
    const rows = await measured();
    expect(rows.find((row) => row.dataset === 'C100')).toMatchObject({
      n: '3',
      mean: '28.00',
      top5_mean: '8.00',
      top5_sd: '0.71',
      ten_crop_mean: '26.00',
      ten_crop_sd: '',
      ten_crop_top5_mean: '7.00',
    });
    expect(rows.find((row) => row.dataset === 'C10')).toMatchObject({ top5_mean: '', top5_sd: '' });
  });

  it('adds a row for each experiment: mean, n and sample standard deviation over seeds', async () => {
    await writeTables(folder, [
      await run('cifar10plus-bc-100-12', 4.5, { set: ['training.seed=1'] }),
      await run('cifar10plus-bc-100-12', 4.6, { set: ['training.seed=2'] }),
      await run('cifar10plus-bc-100-12', 4.9, { set: ['training.seed=3', 'training.memoryEfficient=true'] }),
      await run('svhn-40-12', 1.8, { parameters: 1_019_722 }),
    ]);
    const rows = await measured();
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({
      method: 'DenseNet (k=12)',
      depth: '40',
      params: '1.0M',
      SVHN: '1.80',
      n: '1',
      mean: '1.80',
      sd: '',
      dataset: 'SVHN',
      epochs: '40',
      validation: '6000',
    });
    expect(rows[1]).toMatchObject({
      method: 'DenseNet-BC (k=12)',
      depth: '100',
      params: '0.8M',
      C10: '',
      'C10+': '4.67',
      n: '3',
      mean: '4.67',
      sd: '0.21',
      dataset: 'C10+',
      epochs: '300',
    });
    expect(rows[1]!.runs!.split(' ')).toHaveLength(3);
  });

  it('counts a seed once, by its newest run', async () => {
    await writeTables(folder, [await run('cifar10-40-12', 7.5), await run('cifar10-40-12', 7.1)]);
    expect(await measured()).toEqual([expect.objectContaining({ n: '1', mean: '7.10', C10: '7.10' })]);
  });

  it('keeps other recipes and networks apart', async () => {
    await writeTables(folder, [
      await run('cifar10-40-12', 7),
      await run('cifar10-40-12', 40, { set: ['training.epochs=1'] }),
      await run('cifar10-40-12', 8, { set: ['network.compression=0.3'] }),
      await run('cifar10-40-12', 9, { set: ['network.initialChannels=24'] }),
      await run('cifar10-40-12', 6, { set: ['dataset.augmentation=[mirror]'] }),
    ]);
    const rows = await measured();
    expect(rows.map(({ method, C10, dataset, epochs }) => [method, C10, dataset, epochs])).toEqual([
      ['DenseNet (k=12)', '7.00', 'C10', '300'],
      ['DenseNet (k=12)', '40.00', 'C10', '1'],
      ['DenseNet (k=12)', '', 'C10 (mirror)', '300'],
      ['DenseNet-C (k=12, θ=0.3)', '8.00', 'C10', '300'],
      ['DenseNet (k=12, k0=24)', '9.00', 'C10', '300'],
    ]);
  });

  it("keeps a part of the data, and given weights, out of the paper's columns", async () => {
    await writeTables(folder, [
      await run('cifar10plus-40-12', 60, { subset: 500 }),
      await run('cifar10plus-40-12', 5.2, { subset: 50_000, set: ['training.seed=2'] }),
      await run('cifar10plus-40-12', 5.1, { init: true, set: ['training.seed=3'] }),
      await run('cifar10plus-40-12', 4.9, { dataRemark: 'JPEG', set: ['training.seed=4'] }),
    ]);
    const rows = await measured();
    expect(rows.map((row) => [row.dataset, row['C10+'], row.mean, row.n])).toEqual([
      ['C10+', '5.20', '5.20', '1'],
      ['C10+ (first 500 images)', '', '60.00', '1'],
      ['C10+ (from given weights)', '', '5.10', '1'],
      ['C10+ (JPEG)', '', '4.90', '1'],
    ]);
  });

  it('names datasets that the paper does not have', async () => {
    await writeTables(folder, [
      await run('fashion-mnist-bc-100-12', 4.64, { parameters: 768_730 }),
      await run('quickstart', 18.3, { parameters: 71_254 }),
    ]);
    const [fashion, quickstart] = await measured();
    expect(fashion).toMatchObject({
      dataset: 'Fashion-MNIST+',
      mean: '4.64',
      params: '0.8M',
      C10: '',
      SVHN: '',
    });
    expect(quickstart).toMatchObject({ dataset: 'Fashion-MNIST-mini', mean: '18.30', params: '0.071M' });
  });
});

describe('parameter-count.csv', () => {
  it('has every DenseNet of the paper, its printed count beside ours', async () => {
    await writeTables(folder, []);
    const rows = await table('parameter-count');
    expect(rows).toHaveLength(12 + 16);
    expect(
      rows
        .slice(16)
        .map(({ paper, parameters, classes }) => [classes, paper, parameters])
        .slice(0, 2),
    ).toEqual([
      ['10', '1.0M', '1019722'],
      ['100', '', '1060132'],
    ]);
    expect(rows.at(-2)).toEqual({
      method: 'DenseNet-BC (k=40)',
      depth: '190',
      growth_rate: '40',
      image_channels: '3',
      classes: '10',
      paper: '25.6M',
      parameters: '25624430',
    });
  });

  it('adds the networks of runs that the paper does not have, once', async () => {
    await writeTables(folder, [
      await run('cifar10-bc-100-12', 5.9),
      await run('fashion-mnist-bc-100-12', 4.6, { parameters: 768_730 }),
      await run('fashion-mnist-bc-100-12', 4.7, { parameters: 768_730, set: ['training.seed=2'] }),
    ]);
    const rows = await table('parameter-count');
    expect(rows).toHaveLength(13 + 16);
    expect(rows.at(-1)).toMatchObject({
      image_channels: '1',
      classes: '10',
      paper: '',
      parameters: '768730',
    });
  });
});

describe('updateTables', () => {
  async function writeRun(name: string, experiment: Experiment, result: object): Promise<void> {
    const path = join(folder, 'runs', experiment.name, name);
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'config.json'), JSON.stringify(experiment));
    const common = { epochs: 1, seconds: 1, engine: 'native', seed: 1 };
    await writeFile(join(path, 'result.json'), JSON.stringify({ ...common, ...result }));
    await writeFile(join(path, 'environment.json'), JSON.stringify({ ...ENVIRONMENT, resumed: [] }));
  }

  it('takes the finished runs of the folder, and warns of damaged ones', async () => {
    const experiment = await loadExperiment('svhn-40-12');
    const finished = {
      status: 'finished',
      parameters: 1_019_722,
      reported: { error: 1.8, epoch: 37, rule: 'best-validation' },
    };
    await writeRun('20261124-100000-seed-1', experiment, finished);
    await writeRun('20261124-110000-seed-1', experiment, { ...finished, status: 'interrupted' });
    await writeRun('20261124-120000-seed-1', experiment, finished);
    await writeFile(join(folder, 'runs/svhn-40-12/20261124-120000-seed-1/config.json'), '{');
    const warnings: string[] = [];
    const paths = await updateTables(folder, { ...silent, warn: (text) => warnings.push(text) });
    expect(paths).toEqual([join(folder, 'test-error.csv'), join(folder, 'parameter-count.csv')]);
    expect(await measured()).toEqual([
      expect.objectContaining({ SVHN: '1.80', runs: 'svhn-40-12/20261124-100000-seed-1' }),
    ]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('svhn-40-12/20261124-120000-seed-1 is left out of the tables');
  });

  it('takes the ten-crop errors of a run only if they are of the epoch that it reports', async () => {
    const experiment = await loadExperiment('cifar100-40-12');
    const reported = { error: 28, top5Error: 8, epoch: 300, rule: 'last' };
    const finished = { status: 'finished', parameters: 1_019_722, reported };
    await writeRun('20261124-100000-seed-1', experiment, finished);
    const keep = (epoch: number) =>
      writeFile(
        join(folder, 'runs', experiment.name, '20261124-100000-seed-1', 'ten-crop.json'),
        JSON.stringify({
          error: 26.5,
          top5Error: 7,
          epoch,
          count: 10_000,
          loss: 1,
          engine: 'native',
          densenet: '',
        }),
      );
    await keep(299);
    await updateTables(folder);
    expect(await measured()).toMatchObject([{ mean: '28.00', top5_mean: '8.00', ten_crop_mean: '' }]);
    await keep(300);
    await updateTables(folder);
    expect(await measured()).toMatchObject([{ mean: '28.00', ten_crop_mean: '26.50' }]);
  });

  it('makes the folder, leaves no other file, and writes the same again', async () => {
    const inner = join(folder, 'new', 'results');
    const [path] = await updateTables(inner);
    const before = await readFile(path!, 'utf8');
    await updateTables(inner);
    expect(await readFile(path!, 'utf8')).toBe(before);
    expect((await readdir(inner)).sort()).toEqual(['parameter-count.csv', 'test-error.csv']);
  });
});

test('a run that another process finishes while the tables are written is in them', async () => {
  const elsewhere = join(folder, 'elsewhere');
  await makeRun(elsewhere, 'cifar10plus-40-12', { errors: [5] });
  await makeRun(folder, 'cifar10-40-12', { errors: [7] });
  const damaged = await makeRun(folder, 'svhn-40-12');
  await writeFile(damaged.result, '{');
  // It comes after all runs were listed, and before the tables are written.
  const warn = () => cpSync(join(elsewhere, 'runs'), join(folder, 'runs'), { recursive: true });
  await updateTables(folder, { ...silent, warn });
  expect((await measured()).map((row) => [row.C10, row['C10+']])).toEqual([
    ['7.00', ''],
    ['', '5.00'],
  ]);
});
