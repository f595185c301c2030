import { cp, mkdir, mkdtemp, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { differences } from '../../../src/config/identity.js';
import { loadExperiment } from '../../../src/config/load.js';
import type { ImageSet } from '../../../src/datasets/dataset.js';
import { checkFolders } from '../../../src/datasets/folder/check.js';
import { type FolderOptions, folderChoice } from '../../../src/datasets/folder/definition.js';
import { folderClasses, listFolder } from '../../../src/datasets/folder/listing.js';
import { openFolder } from '../../../src/input/folder/open.js';
import { surveyFolder } from '../../../src/input/folder/survey.js';
import { withContents } from '../../../src/training/contents.js';
import { silent } from '../../../src/util/reporter.js';
import { notAnImage, picture, twoClasses } from './support.js';

let folder: string;
let example: string;
let path: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-test-'));
  example = join(folder, 'example');
  await twoClasses(example);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Every test has a copy of the example for itself. */
beforeEach(async () => {
  path = await mkdtemp(join(folder, 'copy-'));
  await cp(example, path, { recursive: true });
});

const dataFolder = () => join(path, '.data');

function options(more: { skipBadImages?: boolean } = {}) {
  return { dataFolder: dataFolder(), workers: 1, reporter: silent, ...more };
}

async function choice(more: FolderOptions = {}) {
  return folderChoice({ path, classes: await folderClasses({ path, ...more }), ...more });
}

async function survey(more: FolderOptions = {}, given: { skipBadImages?: boolean } = {}) {
  return surveyFolder(await choice(more), options(given));
}

describe('the layout of a folder', () => {
  test('classes are folders in the order of their bytes, images alternate between them', async () => {
    await rename(join(path, 'train', 'a'), join(path, 'train', 'é')); // after b, though not in a dictionary
    await rename(join(path, 'test', 'a'), join(path, 'test', 'é'.normalize('NFD')));
    expect(await folderClasses({ path })).toEqual(['b', 'é']);
    const { train, test } = await listFolder(await choice());
    expect(train.map(({ label, name }) => `${label} ${name}`)).toEqual([
      '0 0.png',
      '1 0.png',
      '0 1.png',
      '1 1.png',
      '0 2.png',
      '1 2.png',
    ]);
    expect(test.map(({ label }) => label)).toEqual([0, 1, 0, 1]);
  });

  test('val/ will do, and images may lie deeper', async () => {
    await rename(join(path, 'test'), join(path, 'val'));
    await mkdir(join(path, 'train', 'a', 'more'));
    await rename(join(path, 'train', 'a', '0.png'), join(path, 'train', 'a', 'more', '0.png'));
    const { train, test } = await listFolder(await choice());
    expect([train.length, test.length]).toEqual([6, 4]);
    expect(train.map(({ name }) => name)).toContain('more/0.png');
  });

  test('without test images a share of each class is drawn by the seed', async () => {
    const one = join(path, 'train');
    const names = async (splitSeed: number) => {
      const given = { path: one, testFraction: 0.3, splitSeed };
      const { train, test } = await listFolder(await choice(given));
      expect([train.length, test.length]).toEqual([4, 2]);
      expect(new Set(test.map(({ label }) => label)).size).toBe(2);
      expect(new Set([...train, ...test].map(({ path }) => path)).size).toBe(6);
      return test.map(({ path }) => path).join();
    };
    expect(await names(1)).toBe(await names(1));
    const drawn = await Promise.all([1, 2, 3, 4, 5, 6].map(names));
    expect(new Set(drawn).size).toBeGreaterThan(1);
  });

  test.each([
    ['no training images', () => rm(join(path, 'train'), { recursive: true }), 'has no folder train'],
    ['no test images', () => rm(join(path, 'test'), { recursive: true }), 'but neither test nor val'],
    ['one class', () => rm(join(path, 'train', 'b'), { recursive: true }), 'holds one class only: a'],
    ['an empty class', () => mkdir(join(path, 'train', 'c')), '1 class in .* has no images: c'],
    [
      'a class of the tests alone',
      () => picture(join(path, 'test', 'c', '1.png'), 'green'),
      '1 class in .*test is not in .*train: c',
    ],
    [
      'a name in two Unicode forms',
      async () => {
        await picture(join(path, 'train', 'ü', '1.png'), 'green');
        await picture(join(path, 'train', 'ü'.normalize('NFD'), '1.png'), 'green');
      },
      'differ only in their Unicode form',
    ],
    ['a folder that is not there', () => rm(path, { recursive: true }), 'there is no folder'],
  ])('%s: is refused', async (_, change, message) => {
    await change();
    await expect(survey()).rejects.toThrow(new RegExp(message));
  });

  test('what is no image by its name is left out and named', async () => {
    await notAnImage(join(path, 'train', 'a', 'notes.txt'));
    await notAnImage(join(path, 'train', 'a', '.hidden.png'));
    const { notes } = await survey();
    expect(notes).toEqual([expect.stringMatching(/^Left out 1 file .*notes\.txt$/)]);
  });
});

describe('a survey', () => {
  test('computes mean and deviation of the training images, and the pixels', async () => {
    const { contents } = await survey();
    const reds = [200, 210, 220, 0, 0, 0];
    const mean = reds.reduce((a, b) => a + b) / 6;
    const deviation = Math.sqrt(reds.reduce((sum, red) => sum + (red - mean) ** 2, 0) / 6);
    expect(contents).toMatchObject({ train: 6, test: 4, mean: [mean, 0, mean] });
    expect(contents.deviation[0]).toBeCloseTo(deviation, 9);
    const { train } = await openFolder(await choice(), options());
    const { images, labels } = train as ImageSet;
    expect([...labels]).toEqual([0, 1, 0, 1, 0, 1]);
    expect([images[0], images[1024], images[2048]]).toEqual([200, 0, 0]);
    expect([images[3072], images[3 * 1024 + 2048]]).toEqual([0, 200]);
  });

  test('depends on names and contents alone: not on place, time or order', async () => {
    const { contents } = await survey();
    const moved = join(folder, 'moved');
    await cp(path, moved, { recursive: true });
    await utimes(join(moved, 'train', 'a', '0.png'), 1, 1);
    const again = await surveyFolder(await choice({ path: moved }), options());
    expect(again.contents).toEqual(contents);
  });

  test('reads what has changed again, and refuses a config that names what was there', async () => {
    const { contents } = await survey();
    await picture(join(path, 'train', 'a', '0.png'), 'rgb(1, 2, 3)');
    const changed = await survey();
    expect(changed.contents.digest).not.toBe(contents.digest);
    expect(changed.contents.mean).not.toEqual(contents.mean);
    await expect(openFolder(await choice({ contents }), options())).rejects.toThrow('have changed');
  });

  test('images that cannot be read are counted and named, or left out', async () => {
    await notAnImage(join(path, 'train', 'a', '0.png'));
    await writeFile(join(path, 'test', 'b', '3.png'), '');
    await expect(survey()).rejects.toThrow(/^2 of 10 images in .* cannot be read: .*0\.png \(.*3\.png \(/);
    const { contents, skipped } = await survey({}, { skipBadImages: true });
    expect(contents).toMatchObject({ train: 5, test: 3 });
    expect(skipped).toEqual([join(path, 'train', 'a', '0.png'), join(path, 'test', 'b', '3.png')]);
  });

  test('an image that could not be read is tried again, though its size and time are the same', async () => {
    const file = join(path, 'train', 'a', '0.png');
    const [content, { mtime }] = [await readFile(file), await stat(file)];
    await writeFile(file, content.toReversed());
    await utimes(file, mtime, mtime);
    expect((await survey({}, { skipBadImages: true })).skipped).toEqual([file]);
    await writeFile(file, content);
    await utimes(file, mtime, mtime);
    expect((await survey()).skipped).toEqual([]);
  });

  test('an image that was removed on purpose is not missed by verify once the folder was read again', async () => {
    await survey();
    await rm(join(path, 'train', 'a', '0.png'));
    expect(await checkFolders(dataFolder())).toMatchObject({ whole: false });
    await survey();
    expect(await checkFolders(dataFolder())).toMatchObject({ whole: true });
  });

  test('an image on both sides is refused, or allowed', async () => {
    await cp(join(path, 'train', 'a', '0.png'), join(path, 'test', 'a', 'copy.png'));
    await expect(survey()).rejects.toThrow(
      /^1 of 5 test images in .* is a training image too: .*copy\.png is /,
    );
    const { contents, notes } = await survey({ allowDuplicates: true });
    expect(contents.test).toBe(5);
    expect(notes).toHaveLength(1);
  });

  test('verify names an image that has changed since, though its size and time have not', async () => {
    await survey();
    expect(await checkFolders(dataFolder())).toMatchObject({ whole: true, recorded: true });
    const file = join(path, 'train', 'a', '0.png');
    const { mtime } = await stat(file);
    const content = await readFile(file);
    content[content.length - 1]! ^= 1;
    await writeFile(file, content);
    await utimes(file, mtime, mtime);
    const { whole, files } = await checkFolders(dataFolder());
    expect(whole).toBe(false);
    expect(files).toMatchObject([{ name: file, status: 'wrong digest' }]);
  });
});

describe('an experiment on a folder', () => {
  async function experiment(set: string[] = []) {
    const config = join(path, 'own.yaml');
    await writeFile(
      config,
      'network: { depth: 10, growthRate: 4 }\ndataset: { name: folder, path: . }\ntraining: { epochs: 1 }\n',
    );
    const loaded = await loadExperiment(config, { set });
    return withContents(loaded, { folder: dataFolder(), workers: 1, reporter: silent });
  }

  test('has the path as seen from its config, the classes and what they hold', async () => {
    const { dataset } = await experiment();
    expect(dataset).toMatchObject({ path, classes: ['a', 'b'], contents: { train: 6, test: 4 } });
  });

  test('is the same where the folder was moved, another where an image has changed', async () => {
    const before = await experiment();
    const moved = { ...before, dataset: { ...before.dataset, path: '/elsewhere' } };
    expect(differences(before, moved)).toEqual([]);
    await picture(join(path, 'train', 'a', '0.png'), 'rgb(1, 2, 3)');
    expect(differences(before, await experiment())).toContain('dataset.contents.digest');
  });

  test.each([
    [['dataset.name=cifar10'], 'dataset.path is given, but cifar10 is not a folder of images'],
    [['dataset.augmentation=[sized-crop]'], "has 'sized-crop', which is not for folder"],
    [['dataset.testFraction=0.2'], 'has a folder test of test images'],
  ])('%j is refused', async (set, message) => {
    await expect(experiment(set)).rejects.toThrow(message);
  });
});
