import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import type { ImageFiles } from '../../../src/datasets/dataset.js';
import { imagenet } from '../../../src/datasets/imagenet/definition.js';
import { batches } from '../../../src/input/batches.js';
import { FileSource } from '../../../src/input/images/file-source.js';
import { DecodingPool } from '../../../src/input/images/pool.js';
import type { Preparation } from '../../../src/input/images/prepare.js';
import { silent } from '../../../src/util/reporter.js';
import { temporaryFolder } from '../../program.js';

const COUNT = 11;
const SIDE = 32;
const PREPARATION: Preparation = {
  side: SIDE,
  augmentation: ['sized-crop', 'color-jitter', 'lighting', 'mirror'],
  seed: 1,
  resize: 'paper',
  normalization: imagenet.normalization,
};

const OPTIONS = {
  preparation: PREPARATION,
  skipBadImages: false,
  reporter: silent,
} as const;

/** Images in one colour each; the file of `bad`, if given, is not there. */
async function images(bad?: number): Promise<ImageFiles> {
  const folder = await temporaryFolder();
  const sizes: number[] = [];
  for (let i = 0; i < COUNT; i++) {
    const background = { r: 20 * i, g: 255 - 20 * i, b: 99 };
    const image = sharp({ create: { width: 50 + i, height: 60, channels: 3, background } });
    if (i !== bad) sizes[i] = (await image.jpeg().toFile(join(folder, `${i}.JPEG`))).size;
  }
  return {
    count: COUNT,
    labels: Uint16Array.from({ length: COUNT }, (_, i) => i),
    locate: (i) => ({ path: join(folder, `${i}.JPEG`), start: 0, bytes: sizes[i] ?? 1 }),
    name: async (i) => `${i}.JPEG`,
  };
}

/** Threads take long to start, so all tests share them. */
const pools = new Map<number, DecodingPool>();
afterAll(() => Promise.all([...pools.values()].map((pool) => pool.close())));

function open(files: ImageFiles, workers: number, skipBadImages = false): FileSource {
  const pool = pools.get(workers) ?? new DecodingPool(workers);
  pools.set(workers, pool);
  return new FileSource(files, { ...OPTIONS, pool, skipBadImages });
}

const indices = Uint32Array.from({ length: COUNT }, (_, i) => (7 * i) % COUNT);

/** The values of every image, by its index, as the batches hold them. */
async function valuesOf(source: FileSource, batchSize: number): Promise<Map<number, string>> {
  const values = new Map<number, string>();
  for await (const batch of batches({ source, indices }, { batchSize, epoch: 4 })) {
    const size = batch.images.length / batch.indices.length;
    batch.indices.forEach((index, n) => {
      expect(batch.labels[n]).toBe(index);
      values.set(index, batch.images.slice(n * size, (n + 1) * size).join());
    });
  }
  return values;
}

describe('images in files', () => {
  test('are the same whatever the workers and the batches, whose memory is used again', async () => {
    const files = await images();
    const expected = await valuesOf(open(files, 1), COUNT);
    expect(new Set(expected.values()).size).toBe(COUNT);
    for (const [workers, batchSize] of [
      [1, 1],
      [2, 3],
      [3, 4],
    ] as const) {
      expect(await valuesOf(open(files, workers), batchSize)).toEqual(expected);
    }
  });

  test('use no more memory than the batches at work', async () => {
    const source = open(await images(), 2);
    const memories = new Set<ArrayBufferLike>();
    for (let epoch = 0; epoch < 4; epoch++) {
      for await (const { images } of batches({ source, indices }, { batchSize: 1, epoch })) {
        memories.add(images.buffer);
      }
    }
    expect(memories.size).toBeLessThanOrEqual(source.ahead(1) + 1);
  });
});

test('as many batches are ahead as keep the workers busy, in at most 512 MB', () => {
  const pool = { workers: 16 } as DecodingPool;
  const empty = { count: 0, labels: new Uint16Array() } as ImageFiles;
  const source = new FileSource(empty, { ...OPTIONS, pool, preparation: { ...PREPARATION, side: 224 } });
  expect([1, 16, 64, 256, 1024].map((batchSize) => source.ahead(batchSize))).toEqual([65, 5, 2, 2, 1]);
});

test('a bad image is an error with its name, or left out once', async () => {
  const files = await images(5);
  await expect(valuesOf(open(files, 2), 4)).rejects.toThrow('cannot read the image 5.JPEG: ENOENT');
  const source = open(files, 2, true);
  expect([...(await valuesOf(source, 4)).keys()].sort((a, b) => a - b)).toEqual([
    0, 1, 2, 3, 4, 6, 7, 8, 9, 10,
  ]);
  expect([...source.skipped]).toEqual([[5, '5.JPEG']]);
});

test('a batch of bad images only is passed over; the others keep their numbers', async () => {
  const source = open(await images(5), 2, true);
  const all = { source, indices: Uint32Array.from({ length: source.count }, (_, i) => i) };
  for (const epoch of [undefined, 1]) {
    const seen: number[][] = [];
    for await (const { number, indices } of batches(all, { batchSize: 1, epoch }))
      seen.push([number, ...indices]);
    expect(seen).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9, 10].map((index) => [index, index]));
  }
});

test('what is no file is a bad image, and nobody waits for it', async () => {
  const files = await images();
  const fifo = join(await temporaryFolder(), 'fifo');
  execFileSync('mkfifo', [fifo]);
  for (const [path, kind] of [
    [fifo, 'FIFO'],
    ['/dev/zero', 'device'],
  ] as const) {
    const locate = (i: number) => (i === 3 ? { path, start: 0, bytes: 10 } : files.locate(i));
    const work = valuesOf(open({ ...files, locate }, 1), 4);
    await expect(work).rejects.toThrow(`cannot read the image 3.JPEG: ${path} is a ${kind}, not a file`);
  }
});
