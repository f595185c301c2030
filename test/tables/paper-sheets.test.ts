import { describe, expect, it } from 'vitest';
import { loadExperiment } from '../../src/config/load.js';
import type { FinishedRun } from '../../src/runs/finished-runs.js';
import { measurements } from '../../src/tables/measurements.js';
import { paperRecipes } from '../../src/tables/paper-recipe.js';
import { type Sheet, sheetMarkdown } from '../../src/tables/sheet.js';
import { table1Sheet } from '../../src/tables/table1.js';
import { table2, table2Columns, table2Records, table2Sheets } from '../../src/tables/table2.js';
import { table3, table3Columns, table3Records, table3Sheets } from '../../src/tables/table3.js';

const recipes = await paperRecipes();
let runs = 0;

async function run(
  config: string,
  testError: number,
  set: string[] = [],
  subset?: number,
): Promise<FinishedRun> {
  const experiment = await loadExperiment(config, { set });
  const name = `${experiment.name}/20261124-${String(++runs).padStart(6, '0')}-seed-1`;
  return { name, experiment, parameters: 769_162, testError, subset, init: false };
}

function cell(sheet: Sheet, row: string, column: string, depth?: string): string | undefined {
  const found = sheet.rows.find((r) => r[0] === row && (depth === undefined || r[1] === depth));
  return found?.[sheet.columns.indexOf(column)];
}

describe('table 1', () => {
  it('is derived from the networks, and as the paper prints it', () => {
    const sheet = table1Sheet();
    expect(sheet.columns).toEqual([
      'layers',
      'output size',
      'DenseNet-121 (k=32)',
      'DenseNet-169 (k=32)',
      'DenseNet-201 (k=32)',
      'DenseNet-264 (k=32)',
    ]);
    expect(cell(sheet, 'Dense Block (3)', 'DenseNet-264 (k=32)')).toBe('[1×1 conv, 3×3 conv] × 64');
    expect(cell(sheet, 'Dense Block (4)', 'output size')).toBe('7×7');
    expect(cell(sheet, 'Parameters', 'DenseNet-121 (k=32)')).toBe('7,978,856');
  });

  it("adds what only the authors' code has with references", () => {
    const sheet = table1Sheet({ references: true });
    expect(cell(sheet, 'Parameters', "DenseNet-161 (k=48; authors' code)")).toBe('28,681,000');
    expect(cell(sheet, 'Parameters', "DenseNet-264 (k=48; authors' code)")).toBe('72,686,632');
  });
});

describe('table 2', () => {
  it('has all of the paper and nothing of ours where nothing was measured', () => {
    const [sheet, ...others] = table2Sheets(table2([], recipes));
    expect(others).toHaveLength(0);
    expect(sheet!.rows).toHaveLength(21);
    expect(cell(sheet!, 'DenseNet-BC (k=12)', 'C10+ paper')).toBe('4.51');
    expect(cell(sheet!, 'DenseNet-BC (k=40)', 'C10 paper')).toBe('');
    const ours = sheet!.columns.flatMap((column, index) => (/ours|diff/.test(column) ? [index] : []));
    expect(ours).toHaveLength(10);
    expect(sheet!.rows.flatMap((row) => ours.map((index) => row[index])).join('')).toBe('');
  });

  it('puts mean, spread and difference beside the number of the paper', async () => {
    const measured = measurements([
      await run('cifar10plus-bc-100-12', 4.5),
      await run('cifar10plus-bc-100-12', 4.7, ['training.seed=2']),
    ]);
    const table = table2(measured, recipes);
    const [sheet] = table2Sheets(table);
    expect(cell(sheet!, 'DenseNet-BC (k=12)', 'C10+ ours')).toBe('4.60 ± 0.14 (n=2)');
    expect(cell(sheet!, 'DenseNet-BC (k=12)', 'C10+ diff.')).toBe('+0.09 (p = 0.69)');
    const record = table2Records(table).find((row) => row.method === 'DenseNet-BC (k=12)');
    expect(record).toMatchObject({
      'C10+_paper': '4.51',
      'C10+_n': 2,
      'C10+_mean': '4.60',
      'C10+_sd': '0.14',
      'C10+_p': '0.69',
    });
    expect(record!.C10_mean).toBeUndefined();
    expect(new Set(table2Columns()).size).toBe(33);
  });

  it("marks the paper's numbers as the paper does, and says what the marks mean", () => {
    const [sheet] = table2Sheets(table2([], recipes));
    expect(cell(sheet!, 'ResNet (pre-activation)', 'C100 paper', '164')).toBe('35.58*');
    const best = sheet!.rows.flat().filter((text) => text.endsWith('†'));
    expect(best).toEqual(['1.59†', '5.19†', '19.64†', '3.46†', '17.18†']);
    expect(sheet!.notes).toContain('* run by the authors of the paper');
  });

  it('does not take other recipes and parts of the data for a cell, and says what differs', async () => {
    const measured = measurements([
      await run('cifar10plus-bc-100-12', 5, ['training.epochs=40']),
      await run('cifar10plus-bc-100-12', 50, [], 500),
      await run('quickstart', 20),
      await run('cifar10-40-12', 7.2, ['training.memoryEfficient=true']),
    ]);
    const [sheet, others] = table2Sheets(table2(measured, recipes));
    expect(cell(sheet!, 'DenseNet-BC (k=12)', 'C10+ ours')).toBe('');
    expect(cell(sheet!, 'DenseNet (k=12)', 'C10 ours', '40')).toBe('7.20 (n=1)');
    expect(others!.rows.map((row) => [row[3], row[6]])).toEqual([
      ['C10+', 'training.epochs=40'],
      ['C10+ (first 500 images)', ''],
      ['Fashion-MNIST-mini', ''],
    ]);
  });

  it('compares ResNets by the recipes of their own sources, which tell rows of one network apart', async () => {
    const measured = measurements([
      await run('cifar10plus-resnet-110', 6.7),
      await run('cifar10plus-resnet-constant-110', 6.3),
      await run('cifar10plus-resnet-constant-110', 6.2, ['training.epochs=400']),
      await run('svhn-resnet-stochastic-152', 1.8),
      await run('cifar10plus-wide-resnet-28-10', 4.2),
      await run('svhn-wide-resnet-16-4', 1.7),
    ]);
    const [sheet, others] = table2Sheets(table2(measured, recipes));
    expect(cell(sheet!, 'ResNet', 'C10+ ours')).toBe('6.70 (n=1)');
    expect(cell(sheet!, 'ResNet', 'C10+ diff.')).toBe('+0.09');
    expect(cell(sheet!, 'ResNet (reported by Stochastic Depth)', 'C10+ ours')).toBe('6.30 (n=1)');
    expect(cell(sheet!, 'ResNet with Stochastic Depth', 'SVHN diff.', '110')).toBe('+0.05');
    expect(cell(sheet!, 'Wide ResNet', 'C10+ diff.', '28')).toBe('+0.03');
    expect(cell(sheet!, 'Wide ResNet with Dropout', 'SVHN diff.')).toBe('+0.06');
    expect(others!.rows.map((row) => row[6])).toEqual(['training.epochs=400']);
  });

  it('gives ResNets that the paper does not have a row, by the recipe of section 4.2', async () => {
    const set = [
      'network.depth=56',
      'training.epochs=300',
      'training.batchSize=64',
      'training.nesterov=true',
      'training.learningRate.warmup=null',
    ];
    const [sheet] = table2Sheets(
      table2(measurements([await run('cifar10plus-preresnet-164', 6, set)]), recipes),
    );
    expect(cell(sheet!, 'ResNet (pre-activation)', 'C10+ ours', '56')).toBe('6.00 (n=1)');
  });

  it('gives networks that the paper does not have a row of their own', async () => {
    const small = ['network.depth=40'];
    const table = table2(measurements([await run('cifar10plus-bc-100-12', 6, small)]), recipes, {
      measuredOnly: true,
    });
    const [sheet] = table2Sheets(table, { measuredOnly: true });
    expect(sheet!.rows).toHaveLength(1);
    expect(cell(sheet!, 'DenseNet-BC (k=12)', 'C10+ ours', '40')).toBe('6.00 (n=1)');
    expect(cell(sheet!, 'DenseNet-BC (k=12)', 'C10+ diff.', '40')).toBe('');
  });

  it("labels the authors' code and reproductions, with their sources", () => {
    const options = { references: true };
    const table = table2([], recipes, options);
    const [sheet] = table2Sheets(table, options);
    expect(cell(sheet!, 'DenseNet-BC (k=40)', 'C10+ reproductions')).toMatch(/^3\.32 \[\d+\]$/);
    expect(cell(sheet!, 'DenseNet-BC (k=36)', "C10+ authors' code")).toMatch(/^4\.58 \[\d+\]$/);
    expect(cell(sheet!, 'DenseNet-BC (k=36)', 'C10+ paper')).toBe('');
    expect(sheet!.notes).toContainEqual(expect.stringContaining('bearpaw/pytorch-classification'));
    const record = table2Records(table, options).find((row) => row.method === 'DenseNet-BC (k=40)');
    expect(record!['C10+_reproductions']).toBe('3.32 (bearpaw/pytorch-classification README)');
  });
});

describe('table 3', () => {
  it("has the paper's numbers, and lists 20.27 / 5.17 apart as secondary", () => {
    const table = table3([], recipes);
    const [sheet, apart] = table3Sheets(table);
    expect(cell(sheet!, 'DenseNet-264 (k=32)', 'top-5 ten crops paper')).toBe('5.29');
    expect(sheet!.rows.map(([model]) => model)).not.toContain('DenseNet-264 (k=48)');
    expect(apart!.rows).toEqual([
      ['DenseNet-264 (k=48)', '20.27', '', '5.17', '', expect.stringContaining('secondary')],
    ]);
    const records = table3Records(table);
    expect(records.at(-1)).toMatchObject({
      top1_single_crop_paper: undefined,
      top1_single_crop_secondary: '20.27',
    });
    for (const key of Object.keys(records[0]!)) expect(table3Columns({ references: true })).toContain(key);
  });

  it("adds the authors' code and the compared networks with references", () => {
    const options = { references: true };
    const [sheet, apart] = table3Sheets(table3([], recipes, options), options);
    expect(cell(sheet!, 'DenseNet-169 (k=32)', "top-1 single crop authors' code")).toBe('23.60');
    expect(apart!.rows.find(([model]) => model === 'ResNet-101')!.slice(1, 5)).toEqual([
      '22.44',
      '21.08',
      '6.21',
      '5.35',
    ]);
    const ported = apart!.rows.filter(([model]) => model === 'DenseNet-121');
    expect(ported.map(([, top1]) => top1)).toEqual(['25.57', '25.25', '25.09', '25.04']);
    expect(apart!.rows.find(([model]) => model === 'DenseNet-161 (k=48)')).toContain('22.20');
  });

  it('puts the errors of a trained network beside the numbers of the paper', async () => {
    const trained = { ...(await run('imagenet-densenet-121', 25.5)), top5Error: 7.61 };
    const options = { measuredOnly: true };
    const [sheet, ...rest] = table3Sheets(table3(measurements([trained]), recipes, options));
    expect(rest).toEqual([]);
    expect(sheet!.rows).toHaveLength(1);
    expect(cell(sheet!, 'DenseNet-121 (k=32)', 'top-1 single crop ours')).toBe('25.50 (n=1)');
    expect(cell(sheet!, 'DenseNet-121 (k=32)', 'top-1 single crop diff.')).toBe('+0.48');
    expect(cell(sheet!, 'DenseNet-121 (k=32)', 'top-5 single crop ours')).toBe('7.61 (n=1)');
    expect(cell(sheet!, 'DenseNet-121 (k=32)', 'top-5 single crop diff.')).toBe('−0.10');
    expect(cell(sheet!, 'DenseNet-121 (k=32)', 'top-1 ten crops ours')).toBe('');
    const both = measurements([{ ...trained, tenCrop: { error: 23.5, top5Error: 6.7 } }]);
    const [second] = table3Sheets(table3(both, recipes, options));
    const ours = second!.columns.flatMap((name, i) => (name.endsWith('ours') ? [second!.rows[0]![i]] : []));
    expect(ours).toEqual(['25.50 (n=1)', '23.50 (n=1)', '7.61 (n=1)', '6.70 (n=1)']);
    expect(table2(both, recipes).others).toEqual([]);
  });

  it('takes any number of micro-batches, but no other recipe, network or part of the data', async () => {
    const measured = measurements([
      await run('imagenet-densenet-121', 25.1, ['training.accumulate=8']),
      await run('imagenet-densenet-121', 30, ['training.epochs=30']),
      await run('imagenet-densenet-169', 60, [], 5000),
      { ...(await run('imagenet-densenet-201', 70)), dataRemark: 'not all of the data' },
      await run('imagenet-densenet-264-k48', 20.5),
      await run('imagenet-resnet-50', 24),
      await run('cifar10-40-12', 7),
    ]);
    const table = table3(measured, recipes, { measuredOnly: true });
    const [sheet, others] = table3Sheets(table);
    expect(sheet!.rows.map(([model]) => model)).toEqual(['DenseNet-121 (k=32)']);
    const found = others!.rows.map((row) => [row[1], row[3], row[5], row.at(-1)]);
    expect(found).toEqual([
      ['121', 'ImageNet', '30.00 (n=1)', 'training.epochs=30'],
      ['169', 'ImageNet (first 5000 images)', '60.00 (n=1)', ''],
      ['201', 'ImageNet (not all of the data)', '70.00 (n=1)', ''],
      ['264', 'ImageNet', '20.50 (n=1)', ''],
      ['50', 'ImageNet', '24.00 (n=1)', ''],
    ]);
  });

  it('leaves nothing with --measured-only where nothing was measured', () => {
    expect(table3([], recipes, { measuredOnly: true })).toEqual({ rows: [], others: [] });
  });
});

describe('Markdown', () => {
  it('escapes what would break a table', () => {
    const lines = sheetMarkdown({ columns: ['a', 'n'], right: ['n'], rows: [['x|y', '1']] });
    expect(lines).toEqual(['| a | n |', '| --- | ---: |', '| x\\|y | 1 |']);
  });
});
