import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DATASET_NAMES } from '../../src/datasets/dataset.js';
import { dataFolder, datasetName, definition, definitions, verifyDataset } from '../../src/datasets/index.js';
import { storeOf } from './support/tiny.js';

const CLASSES: Readonly<Record<string, number>> = { cifar100: 100, imagenet: 1000 };

describe('the definitions', () => {
  it('are in the order of the names', () => {
    expect(definitions.map(({ name }) => name)).toEqual([...DATASET_NAMES]);
    for (const name of DATASET_NAMES) expect(definition(name).name).toBe(name);
  });

  it.each(definitions.map((one) => [one.name, one] as const))('of %s are consistent', (_, one) => {
    const { channels } = one.image;
    expect(one.normalization.mean.length).toBe(channels);
    expect(one.normalization.deviation.length).toBe(channels);
    expect(Math.min(...one.normalization.deviation)).toBeGreaterThan(0);
    expect(new Set(one.classNames).size).toBe(CLASSES[one.name] ?? 10);
    expect(new Set(one.files.map(({ name }) => name)).size).toBe(one.files.length);
    for (const { sha256, md5 } of one.files) {
      if (sha256 !== undefined) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      if (md5 !== undefined) expect(md5).toMatch(/^[0-9a-f]{32}$/);
    }
    for (const { name, url, packing, sha256 } of one.sources) {
      expect(new URL(url).pathname.endsWith(`/${name}`)).toBe(true);
      if (packing !== 'gzip') expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  it.each([
    ['cifar10', 3073],
    ['cifar100', 3074],
  ] as const)('of %s have sizes that fit the counts', (name, record) => {
    const { files, trainCount, testCount } = definition(name);
    const sizes = files.map(({ bytes }) => bytes);
    expect(sizes.slice(0, -1).reduce((a, b) => a + b)).toBe(trainCount * record);
    expect(sizes.at(-1)).toBe(testCount * record);
  });

  it("of CIFAR-100 have the publisher's order of classes, which is alphabetical", () => {
    const { classNames } = definition('cifar100');
    expect(classNames).toEqual([...classNames].sort());
  });

  it('of Fashion-MNIST have sizes that fit the counts', () => {
    const { files, trainCount, testCount } = definition('fashion-mnist');
    const sizes = [16 + 784 * trainCount, 8 + trainCount, 16 + 784 * testCount, 8 + testCount];
    expect(files.map(({ bytes }) => bytes)).toEqual(sizes);
  });

  it('of SVHN leave 598,388 images when 6,000 are held out', () => {
    const { trainCount, holdOutParts = [], classNames } = definition('svhn');
    const held = holdOutParts.reduce((sum, { perClass }) => sum + perClass * classNames.length, 0);
    expect(held).toBe(6000);
    expect(trainCount - held).toBe(598_388);
    expect(holdOutParts.map(({ first, count }) => [first, first + count])).toEqual([
      [0, 73_257],
      [73_257, trainCount],
    ]);
  });

  it('are found by the name that a person types', () => {
    expect(datasetName('cifar10')).toBe('cifar10');
    expect(() => datasetName('cifar-10')).toThrow("there is no dataset 'cifar-10'");
  });
});

describe('Fashion-MNIST mini', () => {
  it('is in the repository and whole', async () => {
    const check = await verifyDataset('fashion-mnist-mini', '/nowhere');
    expect(check.files.map(({ status }) => status)).toEqual(Array(4).fill('whole'));
    expect(check.whole).toBe(true);
  });

  it('is the beginning of Fashion-MNIST', async () => {
    const { train, test } = await storeOf(definition('fashion-mnist-mini')).load('/nowhere');
    expect([train.count, test.count]).toEqual([5000, 1000]);
    expect([...train.labels.subarray(0, 10)]).toEqual([9, 0, 0, 3, 0, 2, 7, 2, 5, 5]);
    expect([...test.labels.subarray(0, 10)]).toEqual([9, 2, 1, 1, 6, 1, 4, 6, 5, 7]);
    expect(train.images.length).toBe(5000 * 784);
    const mean = train.images.reduce((sum, byte) => sum + byte, 0) / train.images.length;
    expect(mean).toBeGreaterThan(72);
    expect(mean).toBeLessThan(74);
  });
});

describe('the data folder', () => {
  const before = { ...process.env };
  beforeEach(() => {
    delete process.env.DENSENET_DATA;
    delete process.env.XDG_CACHE_HOME;
  });
  afterEach(() => {
    process.env = { ...before };
  });

  it('is the one asked for, then DENSENET_DATA, then the cache', () => {
    expect(dataFolder()).toBe(join(homedir(), '.cache', 'densenet', 'data'));
    process.env.XDG_CACHE_HOME = 'relative/is/not/valid';
    expect(dataFolder()).toBe(join(homedir(), '.cache', 'densenet', 'data'));
    process.env.XDG_CACHE_HOME = '/cache';
    expect(dataFolder()).toBe('/cache/densenet/data');
    process.env.DENSENET_DATA = '';
    expect(dataFolder()).toBe('/cache/densenet/data');
    process.env.DENSENET_DATA = '/big/disk';
    expect(dataFolder()).toBe('/big/disk');
    expect(dataFolder('here')).toBe(resolve('here'));
  });
});
