import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import sharp from 'sharp';
import { expect, test, vi } from 'vitest';
import type { RunEnvironment } from '../../src/runs/environment.js';
import type { RunResult } from '../../src/runs/result.js';
import {
  broken,
  CMYK_NAME,
  GREY_NAME,
  PNG_NAME,
  writeMiniArchives,
  writeMiniFolders,
} from '../datasets/support/imagenet-mini.js';
import { bits, type Ended, run, temporaryFolder } from '../program.js';

// The first run may have to build the engine, on a busy machine.
vi.setConfig({ testTimeout: 400_000 });

/** A small network with the ImageNet stem, for a miniature of ILSVRC2012 in its published form. */
const CONFIG = {
  name: 'mini',
  network: { depth: 7, growthRate: 4, blocks: [1, 1], bottleneck: true, compression: 0.5 },
  dataset: {
    name: 'imagenet',
    augmentation: ['sized-crop', 'color-jitter', 'lighting', 'mirror'],
  },
  training: { epochs: 2, batchSize: 8, learningRate: { schedule: 'steps', initial: 0.05 } },
  paper: { table: 3, row: 'DenseNet-121 (k=32)', column: 'top-1 single crop', error: 25.02 },
};

const SUBSET = 'This is not the full ILSVRC2012: 5 of 1,000 classes, 40 of 1,281,167 training images';

/** A folder with a config, and in `data` the index of archives or folders that lie in `from`. */
async function place(write: (from: string) => Promise<void>): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'mini.json'), JSON.stringify(CONFIG));
  await write(join(folder, 'from'));
  const fetched = await run(folder, ['data', 'fetch', 'imagenet', '--from', 'from', '--data', 'data']);
  expect(fetched.code, fetched.stderr).toBe(0);
  expect(fetched.stdout).toMatch(/imagenet indexed: .* in .*data\/imagenet\n/);
  return folder;
}

const COMMON = ['--data=data', '--engine=native'];

function train(folder: string, ...args: string[]): Promise<Ended> {
  return run(folder, ['train', '--config=mini.json', ...COMMON, ...args]);
}

async function runFolder(folder: string): Promise<string> {
  const experiment = join(folder, 'results', 'runs', 'mini');
  return join(experiment, (await readdir(experiment)).at(-1)!);
}

async function json(path: string) {
  return JSON.parse(await readFile(path, 'utf8'));
}

test('from archives or folders, with one worker or three, training comes to the same bits', async () => {
  const archives = await place(writeMiniArchives);
  const first = await train(archives, '--workers=1');
  expect(first.code, first.stderr).toBe(0);
  expect(first.stdout).toContain(SUBSET);
  expect(first.stdout).toMatch(
    /paper \(last epoch\) +25\.02 %.*\n.*not the full ILSVRC2012.* Not comparable/,
  );
  const firstRun = await runFolder(archives);
  const expected = await bits(firstRun);

  const environment = (await json(join(firstRun, 'environment.json'))) as RunEnvironment;
  expect(environment.dataset).toEqual({
    name: 'imagenet',
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    note: expect.stringContaining(SUBSET),
  });
  const epochs = parse<Record<string, string>>(await readFile(join(firstRun, 'epochs.csv')), {
    columns: true,
  });
  for (const { wait_percent } of epochs) expect(Number(wait_percent)).toBeGreaterThan(0);

  const folders = await place((from) => writeMiniFolders(from, 'flat'));
  const second = await train(folders, '--workers=3');
  expect(second.code, second.stderr).toBe(0);
  expect(await bits(await runFolder(folders))).toEqual(expected);
  const other = (await json(join(await runFolder(folders), 'environment.json'))) as RunEnvironment;
  expect(other.dataset).toEqual(environment.dataset);

  const evaluated = await run(folders, ['eval', 'mini', ...COMMON, '--json']);
  expect(evaluated.code, evaluated.stderr).toBe(0);
  const evaluation = JSON.parse(evaluated.stdout);
  const result = (await json(join(firstRun, 'result.json'))) as RunResult;
  expect(evaluation).toMatchObject({ count: 10, error: result.last!.error, skippedImages: [] });
  const bilinear = await run(folders, [
    ...['eval', '--config=mini.json', '--set=dataset.resize=torchvision', ...COMMON, '--json'],
    `--weights=${join(firstRun, 'checkpoint', 'last.safetensors')}`,
  ]);
  expect(JSON.parse(bilinear.stdout).loss).not.toBe(evaluation.loss);

  const tenCrop = await run(folders, ['eval', 'mini', ...COMMON, '--ten-crop', '--json']);
  expect(JSON.parse(tenCrop.stdout)).toMatchObject({ crops: 10, count: 10 });
  expect(JSON.parse(tenCrop.stdout).loss).not.toBe(evaluation.loss);

  const subset = await run(folders, ['eval', 'mini', ...COMMON, '--split=train', '--subset=6', '--json']);
  const { count, classes } = JSON.parse(subset.stdout) as { count: number; classes: { count: number }[] };
  expect(count).toBe(6);
  // The first six images show every class once, and the first class twice.
  expect(classes.map((one) => one.count).filter((n) => n > 0)).toEqual([2, 1, 1, 1, 1]);
});

test('an image that cannot be read stops the run with its name, or is left out and named', async () => {
  const bad = ['n01440764_2.JPEG', 'ILSVRC2012_val_00000007.JPEG'];
  const folder = await place((from) => writeMiniArchives(from, broken(...bad)));
  const stopped = await train(folder, '--set=dataset.augmentation=[]');
  expect(stopped.code).toBe(3);
  expect(stopped.stderr).toMatch(
    /error: cannot read the image n01440764_2.JPEG in .*ILSVRC2012_img_train.tar: .*\n.*--skip-bad-images\n$/,
  );
  const result = (await json(join(await runFolder(folder), 'result.json'))) as RunResult;
  expect(result).toMatchObject({ status: 'failed', message: expect.stringContaining('n01440764_2.JPEG') });

  // The bad image is alone in its batch.
  const alone = ['--set=dataset.augmentation=[]', '--set=training.batchSize=1'];
  const skipping = await train(folder, ...alone, '--skip-bad-images', '--seed=2');
  expect(skipping.code, skipping.stderr).toBe(0);
  const names = [/n01440764_2.JPEG in .*_train.tar/, /ILSVRC2012_val_00000007.JPEG in .*_val.tar/];
  for (const name of names) expect(skipping.stderr).toMatch(name);
  expect(skipping.stdout).toContain('Left out as unreadable: 2 images\n');
  for (const name of names) expect(skipping.stdout).toMatch(name);
  const { skippedImages } = (await json(join(await runFolder(folder), 'result.json'))) as RunResult;
  expect(skippedImages).toEqual(names.map((name) => expect.stringMatching(name)));

  const refused = await run(folder, ['eval', 'mini', ...COMMON]);
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain('cannot read the image ILSVRC2012_val_00000007.JPEG');
  const evaluated = await run(folder, ['eval', 'mini', ...COMMON, '--skip-bad-images']);
  expect(evaluated.code, evaluated.stderr).toBe(0);
  expect(evaluated.stdout).toMatch(
    /, 9 images\n.*calibration.*\nLeft out as unreadable: 1 image\n {2}ILSVRC2012_val_00000007/,
  );
  const tenCrop = await run(folder, ['eval', 'mini', ...COMMON, '--skip-bad-images', '--ten-crop']);
  expect(tenCrop.code, tenCrop.stderr).toBe(0);
  expect(tenCrop.stdout).toMatch(/test error of ten crops .*, 9 images\n/);

  const sweep = ['sweep', '--config=mini.json', '--set=dataset.augmentation=[]', '--seeds=3', ...COMMON];
  expect((await run(folder, sweep)).code).toBe(3);
  const swept = await run(folder, [...sweep, '--skip-bad-images', '--workers=1', '--json']);
  expect(swept.code, swept.stderr).toBe(0);
  expect(JSON.parse(swept.stdout)).toMatchObject([{ seed: '3', status: 'finished' }]);
});

test('where no training image can be read, training ends with one line about it', async () => {
  const folder = await place((from) =>
    writeMiniArchives(from, ({ name, content }) => (/^n.*JPEG$/.test(name) ? Buffer.of(1) : content)),
  );
  const { code, stderr } = await train(folder, '--skip-bad-images');
  expect(code).toBe(3);
  expect(stderr).toMatch(
    /\nerror: not one training image can be read\nCheck the data: densenet data verify\n$/,
  );
});

test('CMYK, grey and PNG images are among those that either engine trains on', async () => {
  const folder = await place((from) => writeMiniFolders(from, 'classes'));
  for (const [name, format, channels] of [
    [CMYK_NAME, 'jpeg', 4],
    [GREY_NAME, 'jpeg', 1],
    [PNG_NAME, 'png', 3],
  ] as const) {
    const image = sharp(join(folder, 'from', 'train', name.slice(0, 9), name));
    expect(await image.metadata()).toMatchObject({ format, channels });
  }
  for (const engine of ['native', 'tensorflow']) {
    const trained = await train(folder, '--set=training.epochs=1', `--engine=${engine}`, '--json');
    expect(trained.code, trained.stderr).toBe(0);
    expect(JSON.parse(trained.stdout)).toMatchObject({ status: 'finished' });
  }
});

test('without the data, or with an archive gone, one line says what to do', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'mini.json'), JSON.stringify(CONFIG));
  const dry = await train(folder, '--dry-run', '--no-measure');
  expect(dry.stdout).toContain('not present; import it with: densenet data fetch imagenet --from DIR');
  const missing = await train(folder);
  expect(missing.code).toBe(3);
  expect(missing.stderr).toMatch(
    /error: ImageNet cannot be downloaded .*\n.*https:\/\/image-net.org.* --from DIR\n$/,
  );
  const refused = await train(folder, '--no-setup');
  expect(refused.stderr).toContain('there is no index of ImageNet (ILSVRC2012)');

  const placed = await place(writeMiniArchives);
  const plan = await train(placed, '--dry-run', '--no-measure');
  expect(plan.stdout).toContain('images          40 training, 10 test');
  await rm(join(placed, 'from', 'ILSVRC2012_img_val.tar'));
  const moved = await train(placed);
  expect(moved.code).toBe(3);
  expect(moved.stderr).toMatch(/ILSVRC2012_img_val.tar is gone\nIf you moved it.* --from DIR\n$/);
});
