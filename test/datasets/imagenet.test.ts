import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFile,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DatasetOf, ImageFiles } from '../../src/datasets/dataset.js';
import { datasetStatus, fetchDataset, loadDataset, verifyDataset } from '../../src/datasets/index.js';
import type { UserError } from '../../src/util/errors.js';
import { silent } from '../../src/util/reporter.js';
import { run, start, temporaryFolder } from '../program.js';
import { filesBelow } from './support/files-below.js';
import { MINI, writeMiniArchives, writeMiniFolders } from './support/imagenet-mini.js';

const TRAIN = 'ILSVRC2012_img_train.tar';
const VAL = 'ILSVRC2012_img_val.tar';
const DEVKIT = 'ILSVRC2012_devkit_t12.tar.gz';

let data: string;
let from: string;
beforeEach(async () => {
  data = await temporaryFolder();
  from = await temporaryFolder();
});

/** Fetches; returns whether there was anything to do, what was said, and how many bytes or files were read. */
async function fetchMini(folder: string | undefined = from) {
  const lines: string[] = [];
  let read = 0;
  const bar = () => ({ update: (value: number) => (read = value), finish() {} });
  const reporter = { ...silent, bar, line: (text: string) => lines.push(text) };
  const fetched = await fetchDataset('imagenet', { folder: data, from: folder, reporter });
  return { fetched, lines, read };
}

async function failure(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => new Error('it worked'),
    (thrown: UserError) => thrown,
  );
  expect(error).toMatchObject({ name: 'UserError', kind: 'data' });
  return `${error.message}\n${(error as UserError).remedy}`;
}

async function load() {
  return (await loadDataset('imagenet', data)) as DatasetOf<ImageFiles>;
}

async function contentOf(images: ImageFiles, index: number): Promise<Buffer> {
  const { path, start, bytes } = images.locate(index);
  const file = await open(path);
  const content = Buffer.alloc(bytes);
  await file.read(content, 0, bytes, start);
  await file.close();
  return content;
}

describe('an index of archives', () => {
  beforeEach(() => writeMiniArchives(from));

  it('knows every image, its label and its name', async () => {
    const { fetched, lines } = await fetchMini();
    expect(fetched).toBe(true);
    expect(lines.at(-1)).toBe(
      'This is not the full ILSVRC2012: 5 of 1,000 classes, 40 of 1,281,167 training images, 10 of 50,000 validation images.',
    );
    const { train, test, note } = await load();
    expect(note).toBe(lines.at(-1));
    expect([...train.labels]).toEqual(Array(8).fill(MINI.labels).flat());
    expect(await train.name(15)).toBe(`n01440764_3.JPEG in ${join(from, TRAIN)}`);
    expect(await test.name(0)).toBe(`ILSVRC2012_val_00000001.JPEG in ${join(from, VAL)}`);
    // The ground truth says 4 1 4 2 5 3 1 … as ILSVRC2012_ID; the labels are the ranks of the WordNet ids.
    expect([...test.labels.subarray(0, 5)]).toEqual([999, 212, 517, 0, 278]);
    expect(await filesBelow(join(data, 'imagenet'))).toEqual(['index']);
  });

  it('finds the same files as in folders, under the same digest', async () => {
    await fetchMini();
    const archives = await load();
    for (const layout of ['flat', 'classes'] as const) {
      const folder = await temporaryFolder();
      await writeMiniFolders(folder, layout);
      expect((await fetchMini(folder)).fetched).toBe(true);
      const folders = await load();
      expect(folders.digest).toBe(archives.digest);
      for (const split of ['train', 'test'] as const) {
        expect(folders[split].labels).toEqual(archives[split].labels);
        for (let i = 0; i < folders[split].count; i += 3) {
          expect(await contentOf(folders[split], i)).toEqual(await contentOf(archives[split], i));
        }
      }
      expect((await fetchMini(folder)).fetched).toBe(false);
      expect((await verifyDataset('imagenet', data)).whole).toBe(true);
      await rm(folders.train.locate(7).path);
      const { whole, files } = await verifyDataset('imagenet', data);
      expect([whole, files[0]!.status, files[0]!.path]).toEqual([
        false,
        'missing',
        folders.train.locate(7).path,
      ]);
    }
  });

  it('is made once: the second time nothing is read', async () => {
    expect((await fetchMini()).read).toBeGreaterThan(10_000);
    expect(await fetchMini()).toMatchObject({ fetched: false, read: 0 });
    expect(await fetchDataset('imagenet', { folder: data, reporter: silent })).toBe(false);
    const size = (await readFile(join(data, 'imagenet', 'index'))).length;
    expect(size).toBeLessThan(1000 + 10 * (MINI.train + MINI.test));
  });

  it('notices that an archive has moved, and takes its new place without reading it again', async () => {
    await fetchMini();
    const { digest } = await load();
    const elsewhere = await temporaryFolder();
    for (const name of [TRAIN, VAL, DEVKIT]) await rename(join(from, name), join(elsewhere, name));
    expect((await datasetStatus('imagenet', data)).present).toBe(false);
    const text = `ImageNet is not where it was indexed: ${join(from, TRAIN)} is gone\nIf you moved it, say where`;
    expect(await failure(load())).toContain(text);
    expect(await failure(fetchDataset('imagenet', { folder: data, reporter: silent }))).toContain(text);
    expect(await fetchMini(elsewhere)).toMatchObject({ fetched: true, read: 0 });
    const moved = await load();
    expect(moved.digest).toBe(digest);
    expect(moved.train.locate(0).path).toBe(join(elsewhere, TRAIN));
  });

  it('notices other bytes in the archives, when it is asked to read them', async () => {
    await fetchMini();
    const before = await load();
    const file = await open(join(from, VAL), 'r+');
    await file.write(Buffer.of(1, 2, 3), 0, 3, before.test.locate(2).start + 50);
    await file.close();
    const { whole, files } = await verifyDataset('imagenet', data);
    expect(whole).toBe(false);
    expect(files.map(({ name, status }) => [name, status])).toEqual([
      [TRAIN, 'whole'],
      [VAL, 'wrong digest'],
    ]);
    await appendFile(join(from, VAL), 'more');
    expect(await failure(load())).toContain('has changed');
  });

  it('that is damaged counts as none', async () => {
    await fetchMini();
    const path = join(data, 'imagenet', 'index');
    const whole = await readFile(path);
    for (const at of [3, 20, 60, whole.length - 9]) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 1;
      await writeFile(path, damaged);
      expect(await failure(load())).toContain('there is no index of ImageNet');
    }
    await truncate(path, 10);
    expect((await datasetStatus('imagenet', data)).present).toBe(false);
    expect((await fetchMini()).fetched).toBe(true);
  });

  it('is not made of a development kit that unpacks to much', async () => {
    const kit = gunzipSync(await readFile(join(from, DEVKIT)));
    const bomb = gzipSync(Buffer.concat([kit, Buffer.alloc(2 ** 27)]), { level: 1 });
    expect(bomb.length).toBeLessThan(2 ** 20);
    await writeFile(join(from, DEVKIT), bomb);
    expect(await failure(fetchMini())).toMatch(/devkit_t12.tar.gz: holds more than 67.1 MB/);
  });

  it('that was made up counts as none', async () => {
    await fetchMini();
    const path = join(data, 'imagenet', 'index');
    const index = await readFile(path);
    const [magic, content] = [index.subarray(0, 16), index.subarray(48)];
    for (const [count, made] of [
      ['"count":40', '"count":1e12'],
      ['"count":40', '"count":-4'],
      ['"count":40', '"count":44'],
      ['{"train"', '["train"'],
    ] as const) {
      const text = content.toString('latin1').replace(count, made);
      const length = content.readUInt32LE(0) + made.length - count.length;
      const header = Buffer.from(text.slice(8, 8 + length), 'latin1');
      const body = content.subarray(8 + 8 * Math.ceil(content.readUInt32LE(0) / 8));
      const head = Buffer.alloc(8 + 8 * Math.ceil(length / 8));
      head.writeUInt32LE(length);
      header.copy(head, 8);
      const whole = Buffer.concat([head, body]);
      await writeFile(path, Buffer.concat([magic, createHash('sha256').update(whole).digest(), whole]));
      expect(await failure(load()), made).toContain('there is no index of ImageNet');
    }
  });

  it('is not made of damaged archives', async () => {
    const whole = await readFile(join(from, TRAIN));
    const header = Buffer.from(whole);
    header[512 * 3 + 5]! ^= 4;
    await writeFile(join(from, TRAIN), header.subarray(0, 100_000));
    expect(await failure(fetchMini())).toMatch(/ILSVRC2012_img_train.tar: .*truncated or damaged/);
    const second = whole.indexOf('n02100735_', 512);
    header.set(whole);
    header[second]! ^= 1;
    await writeFile(join(from, TRAIN), header);
    expect(await failure(fetchMini())).toMatch(/is not what an archive has there.*\nReplace it .* https:/s);
    await writeFile(join(from, TRAIN), whole);
    await truncate(join(from, VAL), 30_000);
    expect(await failure(fetchMini())).toMatch(/ILSVRC2012_img_val.tar: .*truncated or damaged/);
    await writeFile(join(from, DEVKIT), 'no gzip');
    expect(await failure(fetchMini())).toMatch(/devkit_t12.tar.gz: does not decompress/);
    expect(await filesBelow(join(data, 'imagenet'))).toEqual([]);
  });

  it('needs all three; what is missing is named, with the page where it is', async () => {
    expect(await failure(fetchDataset('imagenet', { folder: data, reporter: silent }))).toMatch(
      /^ImageNet cannot be downloaded by a program: it needs a registration\nGet the three archives .* https:\/\/image-net.org.* --from DIR$/,
    );
    await rm(join(from, TRAIN));
    await rm(join(from, DEVKIT));
    const text = await failure(fetchMini());
    expect(text).toContain(`lacks ${TRAIN} (or a folder train), ${DEVKIT}\nGet them from https://`);
    expect(await failure(fetchMini('/nowhere'))).toContain('there is no folder /nowhere');
  });

  it('does not take links to nothing for images, nor folders', async () => {
    const folder = await temporaryFolder();
    await writeMiniFolders(folder, 'classes');
    const train = join(folder, 'train', 'n01440764');
    await mkdir(join(train, 'a.JPEG'));
    execFileSync('mkfifo', [join(train, 'b.JPEG')]);
    expect((await fetchMini(folder)).fetched).toBe(true);
    expect((await load()).train.count).toBe(MINI.train);
    await symlink('/nowhere', join(train, 'c.JPEG'));
    expect(await failure(fetchMini(folder))).toMatch(
      /c\.JPEG is a link to a file that is not there\nBring that file here/,
    );
    await rm(join(train, 'c.JPEG'));
    await writeFile(join(train, 'd.JPEG'), '');
    await truncate(join(train, 'd.JPEG'), 2 ** 32 + 5);
    expect(await failure(fetchMini(folder))).toContain(
      'holds d.JPEG of 4294967301 bytes, which is no photograph',
    );
  });

  it('has no classes that ILSVRC2012 does not have', async () => {
    const folder = await temporaryFolder();
    await writeMiniFolders(folder, 'classes');
    await rename(join(folder, 'train', 'n01440764'), join(folder, 'train', 'n00000001'));
    expect(await failure(fetchMini(folder))).toContain('holds a class n00000001');
  });
});

describe('the program', () => {
  it('leaves nothing half when it is killed, and goes on from there', async () => {
    await writeMiniArchives(from);
    // A member without images makes the archive long, and so the fetch.
    const train = await readFile(join(from, TRAIN));
    const filler = Buffer.alloc(512);
    const bytes = 400 * 2 ** 20;
    filler.write('filler');
    filler.write(`${bytes.toString(8).padStart(11, '0')}\0`, 124);
    filler.write('0', 156);
    filler.fill(' ', 148, 156);
    const sum = filler.reduce((total, byte) => total + byte, 0);
    filler.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const long = await open(join(from, TRAIN), 'w');
    await long.write(filler, 0, 512, 0);
    await long.write(train, 0, train.length, 512 + bytes);
    await long.close();
    const args = ['data', 'fetch', 'imagenet', '--from', from, '--data', data];
    const own = join(data, 'imagenet');
    await mkdir(own);
    for (const delay of [0, 100, 300]) {
      const killed = start(data, args);
      while (!(await filesBelow(own)).includes('.lock')) await sleep(5);
      await sleep(delay);
      killed.process.kill('SIGKILL');
      await killed.ended;
      expect(await filesBelow(own)).not.toContain('index');
    }
    const ended = await run(data, args);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout + ended.stderr).toContain('This is not the full ILSVRC2012: 5 of 1,000 classes');
    expect(await filesBelow(own)).toEqual(['index']);
    const list = await run(data, ['data', 'list', '--data', data]);
    expect(list.stdout).toMatch(/imagenet +ImageNet \(ILSVRC2012\) +40 +10 .* yes/);
    const verify = await run(data, ['data', 'verify', '--data', data]);
    expect(verify.stdout).toContain(`imagenet/${TRAIN}: whole\nimagenet/${VAL}: whole\n`);
  });
});
