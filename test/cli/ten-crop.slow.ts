import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { writeMiniFolders } from '../datasets/support/imagenet-mini.js';
import { run, temporaryFolder } from '../program.js';

/** A small network with the ImageNet stem, on a miniature of ILSVRC2012 in its published form. */
const CONFIG = {
  name: 'mini',
  network: { depth: 7, growthRate: 4, blocks: [1, 1], bottleneck: true, compression: 0.5 },
  dataset: { name: 'imagenet', augmentation: ['sized-crop', 'mirror'] },
  training: { epochs: 1, batchSize: 8, accumulate: 2 },
};

const ERRORS = {
  error: expect.any(Number),
  top5Error: expect.any(Number),
};

test('ten crops are recorded beside the errors of one, never in their place', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'mini.json'), JSON.stringify(CONFIG));
  await writeMiniFolders(join(folder, 'from'), 'flat');
  const densenet = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(folder, args);
    expect(code, stderr).toBe(0);
    return stdout;
  };
  const common = ['--data=data', '--engine=native'];
  await densenet('data', 'fetch', 'imagenet', '--from=from', '--data=data');
  const trained = JSON.parse(await densenet('train', '--config=mini.json', '--json', ...common));
  expect(trained.last).toMatchObject({ ...ERRORS, epoch: 1 });
  const experiment = join(folder, 'results', 'runs', 'mini');
  const record = join(experiment, (await readdir(experiment))[0]!, 'ten-crop.json');

  const one = JSON.parse(await densenet('eval', 'mini', '--json', ...common));
  expect(one).toMatchObject({ crops: 1, error: trained.last.error, top5Error: trained.last.top5Error });
  await densenet('eval', 'mini', '--ten-crop', '--split=train', ...common);
  await densenet('eval', 'mini', '--ten-crop', '--subset=4', ...common);
  await densenet('eval', 'mini', '--ten-crop', '--checkpoint=best', ...common);
  expect(existsSync(record)).toBe(false);

  const ten = JSON.parse(await densenet('eval', 'mini', '--ten-crop', '--json', ...common));
  expect(ten).toMatchObject({ crops: 10, count: one.count, ...ERRORS });
  expect(ten.loss).not.toBe(one.loss);
  expect(JSON.parse(await readFile(record, 'utf8'))).toMatchObject({
    error: ten.error,
    top5Error: ten.top5Error,
    loss: ten.loss,
    count: ten.count,
    epoch: 1,
  });
  const text = await densenet('eval', 'mini', '--ten-crop', ...common);
  expect(text).toMatch(/test error of ten crops \d+\.\d\d %, top-5 \d+\.\d\d %, loss/);

  const table = await readFile(join(folder, 'results', 'test-error.csv'), 'utf8');
  const rows = parse<Record<string, string>>(table, { columns: true });
  const digits = (value: number) => value.toFixed(2);
  expect(rows.at(-1)).toMatchObject({
    dataset: 'ImageNet (not all of the data)',
    mean: digits(one.error),
    top5_mean: digits(one.top5Error),
    ten_crop_mean: digits(ten.error),
    ten_crop_top5_mean: digits(ten.top5Error),
  });
  const third = await densenet('table', '3');
  expect(third).toContain('Measured on ImageNet, but no row of Table 3');
  expect(third).toContain('dataset.augmentation=["mirror","sized-crop"]');

  // From elsewhere, by its folder: the tables beside the run are those that follow.
  await rm(join(folder, 'results', 'test-error.csv'));
  await mkdir(join(folder, 'elsewhere'));
  const path = join(experiment, (await readdir(experiment))[0]!);
  const elsewhere = ['eval', path, '--ten-crop', '--data=../data', '--engine=native'];
  expect((await run(join(folder, 'elsewhere'), elsewhere)).code).toBe(0);
  expect(await readFile(join(folder, 'results', 'test-error.csv'), 'utf8')).toBe(table);
  expect(await readdir(join(folder, 'elsewhere'))).toEqual([]);
});
