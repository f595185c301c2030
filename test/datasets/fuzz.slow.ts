import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCifar } from '../../src/datasets/cifar.js';
import type { ImageSet } from '../../src/datasets/dataset.js';
import { readManifest } from '../../src/datasets/files/manifest.js';
import { FormatError } from '../../src/datasets/formats/format-error.js';
import { readIdx } from '../../src/datasets/formats/idx.js';
import { readDevkit } from '../../src/datasets/imagenet/devkit.js';
import { readIndex } from '../../src/datasets/imagenet/index-file.js';
import { surveyTestArchive, surveyTrainArchive } from '../../src/datasets/imagenet/survey.js';
import { fetchDataset } from '../../src/datasets/index.js';
import { readSvhn } from '../../src/datasets/svhn.js';
import { UserError } from '../../src/util/errors.js';
import { silent } from '../../src/util/reporter.js';
import { FUZZ_RUNS } from '../fuzz.js';
import { writeMiniArchives } from './support/imagenet-mini.js';
import { changed, changes } from './support/mutations.js';
import { idx, noise, tinyCifar, tinyFashion, tinySvhn } from './support/tiny.js';

/** Whatever the bytes, reading them gives what they say, or one line; and takes no more memory than whole files do. */
const MOST_MEMORY = 400e6;
const MOST_MILLISECONDS = 5000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fuzz-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Writes changed files, reads them, and checks what comes of it. Returns in how many cases they could be read. */
async function fuzz<T>(
  write: (list: Parameters<typeof changed>[1], more: number) => Promise<void>,
  read: () => Promise<T>,
  check: (value: T) => void = () => {},
): Promise<number> {
  const before = process.memoryUsage.rss();
  let readable = 0;
  await fc.assert(
    fc.asyncProperty(changes, fc.nat(), async (list, more) => {
      await write(list, more);
      const started = performance.now();
      try {
        check(await read());
        readable++;
      } catch (error) {
        if (!(error instanceof FormatError || error instanceof UserError)) throw error;
        expect(error.message.length).toBeLessThan(1000);
      }
      expect(performance.now() - started).toBeLessThan(MOST_MILLISECONDS);
      expect(process.memoryUsage.rss() - before).toBeLessThan(MOST_MEMORY);
    }),
    { numRuns: FUZZ_RUNS },
  );
  return readable;
}

/**
 * A MAT file whose changes are made before its variables are compressed, so that they are not all found by a checksum.
 */
function changedInside(content: Buffer, list: Parameters<typeof changed>[1]): Buffer {
  const variables: Buffer[] = [content.subarray(0, 128)];
  for (let at = 128; at < content.length; at += 8 + content.readUInt32LE(at + 4)) {
    const packed = content.subarray(at + 8, at + 8 + content.readUInt32LE(at + 4));
    const again = deflateSync(changed(inflateSync(packed), list));
    const tag = Buffer.alloc(8);
    tag.writeUInt32LE(15, 0);
    tag.writeUInt32LE(again.length, 4);
    variables.push(tag, again);
  }
  return Buffer.concat(variables);
}

/** Labels below the number of classes, and as many as the definition says. */
function checkSplit({ labels }: ImageSet, count: number, classes: number): void {
  expect(labels.length).toBe(count);
  expect(Math.max(...labels)).toBeLessThan(classes);
}

describe('images in memory, of any bytes', () => {
  test('CIFAR', async () => {
    const { definition, unpacked } = await tinyCifar('cifar100');
    for (const [name, content] of unpacked) await writeFile(join(folder, name), content);
    const readable = await fuzz(
      (list) => writeFile(join(folder, 'test.bin'), changed(unpacked.get('test.bin')!, list)),
      () => readCifar(definition, folder),
      (read) => checkSplit(read.test, definition.testCount, 100),
    );
    expect(readable).toBeGreaterThan(0);
  });

  test.each(['plain', 'gzipped'])('IDX, %s', async (packing) => {
    const shape = [3, 28, 28];
    const content = idx(shape, noise('idx', 3 * 28 * 28));
    const path = join(folder, packing === 'plain' ? 'idx' : 'idx.gz');
    const readable = await fuzz(
      (list, more) => {
        if (packing === 'plain') return writeFile(path, changed(content, list));
        const inside = gzipSync(changed(content, list), { level: 1 });
        return writeFile(path, more % 2 ? inside : changed(gzipSync(content, { level: 1 }), list));
      },
      () => readIdx(path, shape),
      (data) => expect(data.length).toBe(3 * 28 * 28),
    );
    expect(readable).toBeGreaterThan(0);
  });

  test('MAT v5', async () => {
    const { definition: full, unpacked } = tinySvhn();
    const [name, content] = [...unpacked][2]!;
    const definition = { ...full, trainCount: 0, files: full.files.slice(2) };
    const readable = await fuzz(
      (list, more) =>
        writeFile(join(folder, name), more % 2 ? changedInside(content, list) : changed(content, list)),
      () => readSvhn(definition, folder),
      (read) => checkSplit(read.test, definition.testCount, 10),
    );
    expect(readable).toBeGreaterThan(0);
  });
});

const TAR_BLOCK = 512;

/** Sums up again the headers that a tar archive had, so that not every change is found by a checksum. */
function summed(archive: Buffer, original: Buffer): Buffer {
  for (let at = 0; at + TAR_BLOCK <= Math.min(archive.length, original.length); at += TAR_BLOCK) {
    if (original.toString('latin1', at + 257, at + 262) !== 'ustar') continue;
    archive.fill(' ', at + 148, at + 156);
    const sum = archive.subarray(at, at + TAR_BLOCK).reduce((total, byte) => total + byte, 0);
    archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148);
  }
  return archive;
}

describe('ImageNet, of any bytes', () => {
  let from: string;
  let whole: Record<'train' | 'val' | 'devkit', Buffer>;
  beforeAll(async () => {
    from = join(folder, 'from');
    // A few bytes for an image: the archives are small, and changes meet headers.
    await writeMiniArchives(from, ({ name, content }) =>
      name.endsWith('.JPEG') ? Buffer.from(name) : content,
    );
    whole = {
      train: await readFile(join(from, 'ILSVRC2012_img_train.tar')),
      val: await readFile(join(from, 'ILSVRC2012_img_val.tar')),
      devkit: await readFile(join(from, 'ILSVRC2012_devkit_t12.tar.gz')),
    };
  });

  const options = { onProgress: () => {} };

  test.each(['train', 'val'] as const)('the archive of %s images', async (split) => {
    const path = join(folder, 'archive.tar');
    const labels = Uint16Array.from({ length: 10 }, (_, i) => i);
    let size = 0;
    const readable = await fuzz(
      async (list, more) => {
        const archive = changed(whole[split], list);
        size = archive.length;
        await writeFile(path, more % 2 ? summed(archive, whole[split]) : archive);
      },
      () =>
        split === 'train' ? surveyTrainArchive(path, options) : surveyTestArchive(path, labels, options),
      ({ images }) => {
        for (const { offset, bytes, label } of images) {
          expect(offset % TAR_BLOCK).toBe(0);
          expect(bytes >= 0 && offset + bytes <= size && label < 1000).toBe(true);
        }
      },
    );
    expect(readable).toBeGreaterThan(0);
  });

  test('the development kit', async () => {
    const path = join(folder, 'kit.tar.gz');
    const archive = gunzipSync(whole.devkit);
    const start = archive.indexOf('MATLAB 5.0');
    const meta = archive.subarray(
      start,
      start + Number.parseInt(archive.toString('latin1', start - 388, start - 376), 8),
    );
    const readable = await fuzz(
      async (list, more) => {
        if (more % 3 === 0) return writeFile(path, changed(whole.devkit, list));
        if (more % 3 === 1)
          return writeFile(path, gzipSync(summed(changed(archive, list), archive), { level: 1 }));
        const inside = changedInside(meta, list);
        const changedKit = Buffer.from(archive);
        // What does not fit is cut off.
        inside.copy(changedKit, start, 0, meta.length);
        return writeFile(path, gzipSync(changedKit, { level: 1 }));
      },
      () => readDevkit(path, folder),
      (labels) => expect(Math.max(...labels)).toBeLessThan(1000),
    );
    expect(readable).toBeGreaterThan(0);
  });

  test('the index, also where its digest is right', async () => {
    const data = join(folder, 'data');
    await fetchDataset('imagenet', { folder: data, from, reporter: silent });
    const path = join(data, 'imagenet', 'index');
    const index = await readFile(path);
    const start = index.indexOf('densenet index 1') + 16 + 32;
    const readable = await fuzz(
      async (list, more) => {
        if (more % 4 === 0) return writeFile(path, changed(index, list));
        const content = changed(index.subarray(start), list);
        const digest = createHash('sha256').update(content).digest();
        return writeFile(path, Buffer.concat([index.subarray(0, 16), digest, content]));
      },
      () => readIndex(join(data, 'imagenet')),
      (read) => {
        for (const split of read ? [read.train, read.test] : []) {
          expect(Math.max(0, ...split.labels)).toBeLessThan(1000);
          for (let i = 0; i < split.count; i++) expect(split.locate(i).bytes).toBeLessThan(2 ** 29);
        }
      },
    );
    expect(readable).toBeGreaterThan(0);
  });
});

test('a manifest of any bytes', async () => {
  const { definition } = tinyFashion();
  const own = join(folder, 'manifest');
  await mkdir(own);
  const files = definition.files.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 }));
  const manifest = Buffer.from(JSON.stringify({ format: 1, dataset: definition.name, files }));
  let whole = 0;
  await fuzz(
    (list) => writeFile(join(own, 'manifest.json'), changed(manifest, list)),
    () => readManifest(definition, own),
    (read) => {
      if (read === undefined) return;
      whole++;
      expect(files.map(({ name }) => read.get(name))).toEqual(files);
    },
  );
  expect(whole).toBeGreaterThan(0);
});
