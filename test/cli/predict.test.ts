import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dataFolder, definition } from '../../src/datasets/index.js';
import { storeOf } from '../datasets/support/tiny.js';
import { run, startInTerminal } from '../program.js';

const EXPERIMENT = 'smoke-fashion-mnist-mini';
const COUNT = 3;
let folder: string;
/** Of the first test images: the logits that `eval` writes, [COUNT, 10]. */
let logits: number[][];

/** A trained run, and the first test images as files of several formats: grey, in colour, and with transparency. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-test-'));
  expect((await run(folder, ['train', EXPERIMENT, '--subset=320', '--engine=native'])).code).toBe(0);
  const args = ['eval', EXPERIMENT, '--engine=native', `--subset=${COUNT}`, '--output=logits.csv'];
  expect((await run(folder, args)).code).toBe(0);
  const rows: string[][] = parse(await readFile(join(folder, 'logits.csv'), 'utf8'), { from: 2 });
  logits = rows.map((row) => row.slice(3).map(Number));
  const { test } = await storeOf(definition('fashion-mnist-mini')).load(dataFolder());
  const image = (n: number) =>
    sharp(test.images.subarray(n * 784, (n + 1) * 784), { raw: { width: 28, height: 28, channels: 1 } });
  await mkdir(join(folder, 'seen', 'more'), { recursive: true });
  await image(0)
    .png()
    .toFile(join(folder, 'seen', 'a.png'));
  await image(1)
    .toColourspace('srgb')
    .webp({ lossless: true })
    .toFile(join(folder, 'seen', 'b.webp'));
  await image(2)
    .ensureAlpha()
    .toColourspace('srgb')
    .png()
    .toFile(join(folder, 'seen', 'more', 'c.PNG'));
  await writeFile(join(folder, 'seen', 'notes.txt'), 'not an image');
  // As of folders of a dataset, what is hidden, what is no file, and what links lead to is left out.
  await mkdir(join(folder, 'seen', 'folder.png'));
  await mkdir(join(folder, 'seen', '.hidden'));
  for (const name of ['._a.png', '.hidden/a.png'])
    await writeFile(join(folder, 'seen', name), 'not an image');
  await symlink('..', join(folder, 'seen', 'more', 'above'));
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('predict', () => {
  test('sees in image files what eval sees in the dataset', async () => {
    const args = ['predict', EXPERIMENT, 'seen', '--engine=native', '--json', '--output=seen.csv'];
    const { code, stdout } = await run(folder, args);
    expect(code).toBe(0);
    const { images, network, trained } = JSON.parse(stdout);
    expect({ network, trained }).toMatchObject({ network: 'DenseNet-BC (L=10, k=4)', trained: { steps: 0 } });
    const names = definition('fashion-mnist-mini').classNames;
    const expected = logits.map((row) => {
      const sum = row.reduce((all, logit) => all + Math.exp(logit), 0);
      return row
        .map((logit, c) => ({ name: names[c]!, probability: Math.exp(logit) / sum }))
        .sort((a, b) => b.probability - a.probability)
        .slice(0, 5);
    });
    const files = ['seen/a.png', 'seen/b.webp', 'seen/more/c.PNG'];
    expect(images).toEqual(
      files.map((file, n) => ({
        file,
        classes: expected[n]!.map(({ name, probability }) => ({
          name,
          probability: expect.closeTo(probability, 5),
        })),
      })),
    );
    const rows = parse(await readFile(join(folder, 'seen.csv'), 'utf8'), { columns: true });
    expect(rows).toMatchObject(files.map((file, n) => ({ file, class_1: expected[n]![0]!.name })));
  });

  test('prints the likeliest classes with bars', async () => {
    const { stdout } = await run(folder, ['predict', EXPERIMENT, 'seen/a.png', '--engine=native', '--top=3']);
    const [first = '', blank, file, ...classes] = stdout.trimEnd().split('\n').slice(1);
    expect(first).toMatch(/^DenseNet-BC \(L=10, k=4\), weights .*last\.safetensors, of epoch \d+/);
    expect([blank, file]).toEqual(['', 'seen/a.png']);
    expect(classes).toHaveLength(3);
    for (const line of classes) expect(line).toMatch(/^ {2}\S.*\d\.\d %( {2}█+)?$/);
    const bars = classes.map((line) => line.indexOf('█')).filter((column) => column >= 0);
    const columns = Math.max(...bars) + 1;
    const narrow = startInTerminal(
      folder,
      ['predict', EXPERIMENT, 'seen/a.png', '--engine=native', '--top=3'],
      {
        columns,
      },
    );
    const lines = (await narrow.ended).stdout.split('\r\n').filter((line) => line.includes(' %'));
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
  });

  test('takes weights with their config', async () => {
    await run(folder, ['export', EXPERIMENT, '--output=w.safetensors']);
    const args = ['predict', `--config=${EXPERIMENT}`, '--weights=w.safetensors', 'seen/a.png', '--json'];
    const own = JSON.parse((await run(folder, [...args, '--engine=native'])).stdout);
    expect(own.images).toMatchObject([{ file: 'seen/a.png', classes: { length: 5 } }]);
  });

  test('says in two lines what cannot be seen, or leaves it out', async () => {
    await writeFile(join(folder, 'bad.png'), 'not an image');
    const predict = (...args: string[]) => run(folder, ['predict', EXPERIMENT, ...args, '--engine=native']);
    const bad = await predict('bad.png');
    expect(bad.code).toBe(3);
    expect(bad.stderr).toMatch(/^error: cannot read the image bad\.png: .*\n.*--skip-bad-images\n$/);
    const skipped = await predict('bad.png', 'seen/a.png', '--skip-bad-images');
    expect(skipped.code).toBe(0);
    expect(skipped.stdout).toContain('Left out as unreadable: 1 image');
    expect((await predict('nowhere.png')).stderr).toMatch(/^error: there is no file nowhere\.png\n/);
    expect((await predict()).stderr).toMatch(/^error: there is no image to look at\n/);
  });
});
