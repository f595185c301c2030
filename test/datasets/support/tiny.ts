import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { readCifar } from '../../../src/datasets/cifar.js';
import type { DatasetDefinition, SourceFile } from '../../../src/datasets/dataset.js';
import { definition } from '../../../src/datasets/definitions.js';
import { readFashionMnist } from '../../../src/datasets/fashion-mnist.js';
import { filesStore } from '../../../src/datasets/files/store.js';
import { readSvhn } from '../../../src/datasets/svhn.js';
import { writeMat5 } from './mat5-writer.js';

/** A dataset of a few images in the publisher's formats, with the definition that fits it. */
export interface Tiny {
  readonly definition: DatasetDefinition;
  /** What a server has, by name. */
  readonly served: Map<string, Buffer>;
  /** The data files as they should lie on disk. */
  readonly unpacked: Map<string, Buffer>;
  readonly train: Split;
  readonly test: Split;
}

interface Split {
  /** [N, C, H, W] */
  readonly images: Buffer;
  readonly labels: Buffer;
}

/** How a dataset of this definition is kept, as `datasets/index.ts` has it for the published ones. */
export function storeOf(definition: DatasetDefinition) {
  const { name } = definition;
  const read = name === 'svhn' ? readSvhn : name.startsWith('fashion') ? readFashionMnist : readCifar;
  return filesStore(definition, read);
}

/** Bytes that look random and are the same every time. */
export function noise(name: string, length: number): Buffer {
  return createHash('shake256', { outputLength: length }).update(name).digest();
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function makeSplit(name: string, count: number, imageBytes: number, classes: number): Split {
  const labels = noise(`${name} labels`, count).map((byte) => byte % classes);
  return { images: noise(`${name} images`, count * imageBytes), labels: Buffer.from(labels) };
}

/** `perFile` images in each file. */
export async function tinyCifar(name: 'cifar10' | 'cifar100', perFile = 4): Promise<Tiny> {
  const full = definition(name);
  const trainFiles = full.files.length - 1;
  const train = makeSplit(`${name} train`, trainFiles * perFile, 3072, full.classNames.length);
  const test = makeSplit(`${name} test`, perFile, 3072, full.classNames.length);
  const unpacked = new Map(
    full.files.map((file, i) => {
      const split = i < trainFiles ? train : test;
      const first = i < trainFiles ? i * perFile : 0;
      const records = Array.from({ length: perFile }, (_, j) => {
        const coarse = name === 'cifar100' ? [99] : [];
        const pixels = split.images.subarray((first + j) * 3072, (first + j + 1) * 3072);
        return Buffer.concat([Buffer.from([...coarse, split.labels[first + j]!]), pixels]);
      });
      return [file.name, Buffer.concat(records)];
    }),
  );
  const source = full.sources[0]!;
  const archive = await tarGz(source.innerFolder!, unpacked);
  return {
    definition: {
      ...full,
      trainCount: trainFiles * perFile,
      testCount: perFile,
      sources: [{ ...source, bytes: archive.length, sha256: sha256(archive) }],
      files: full.files.map(({ name: file, md5 }) => ({
        name: file,
        bytes: unpacked.get(file)!.length,
        ...(md5 && { md5: createHash('md5').update(unpacked.get(file)!).digest('hex') }),
      })),
    },
    served: new Map([[source.name, archive]]),
    unpacked,
    train,
    test,
  };
}

/** A .tar.gz with a folder, the files, and a file that nobody asked for. */
export async function tarGz(folder: string, files: ReadonlyMap<string, Buffer>): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: `${folder}/`, type: 'directory' });
  for (const [name, content] of [...files, ['readme.html', Buffer.from('<html>')] as const]) {
    archive.entry({ name: `${folder}/${name}` }, content);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(Buffer.from(chunk as Uint8Array));
  return gzipSync(Buffer.concat(chunks));
}

export function tinyFashion(trainCount = 6, testCount = 3): Tiny {
  const full = definition('fashion-mnist');
  const train = makeSplit('fashion train', trainCount, 784, 10);
  const test = makeSplit('fashion test', testCount, 784, 10);
  const contents = [
    idx([trainCount, 28, 28], train.images),
    idx([trainCount], train.labels),
    idx([testCount, 28, 28], test.images),
    idx([testCount], test.labels),
  ];
  return {
    definition: {
      ...full,
      trainCount,
      testCount,
      files: full.files.map(({ name }, i) => ({
        name,
        bytes: contents[i]!.length,
        sha256: sha256(contents[i]!),
      })),
    },
    served: new Map(full.sources.map(({ name }, i) => [name, gzipSync(contents[i]!)])),
    unpacked: new Map(full.files.map(({ name }, i) => [name, contents[i]!])),
    train,
    test,
  };
}

/** An IDX file of unsigned bytes. */
export function idx(shape: readonly number[], data: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(0x0800 + shape.length, 0);
  shape.forEach((length, i) => {
    header.writeUInt32BE(length, 4 + 4 * i);
  });
  return Buffer.concat([header, data]);
}

/** Images and digits in files of 5, 7 and 3 images: train, extra, test. */
export function tinySvhn(): Tiny {
  const full = definition('svhn');
  const counts = [5, 7, 3];
  const splits = counts.map((count, i) => makeSplit(`svhn ${i}`, count, 3072, 10));
  const contents = splits.map(svhnFile);
  const files = full.files.map(({ name }, i) => ({
    name,
    bytes: contents[i]!.length,
    sha256: sha256(contents[i]!),
  }));
  return {
    definition: {
      ...full,
      trainCount: counts[0]! + counts[1]!,
      testCount: counts[2]!,
      files,
      sources: files.map((file, i): SourceFile => ({ ...full.sources[i]!, ...file })),
    },
    served: new Map(files.map(({ name }, i) => [name, contents[i]!])),
    unpacked: new Map(files.map(({ name }, i) => [name, contents[i]!])),
    train: {
      images: Buffer.concat([splits[0]!.images, splits[1]!.images]),
      labels: Buffer.concat([splits[0]!.labels, splits[1]!.labels]),
    },
    test: splits[2]!,
  };
}

/** MATLAB's view of a split: X is row × column × channel × image, first index fastest; digit 0 is label 10. */
export function svhnFile({ images, labels }: Split): Buffer {
  const x = Buffer.alloc(images.length);
  for (let n = 0; n < labels.length; n++) {
    for (let channel = 0; channel < 3; channel++) {
      for (let row = 0; row < 32; row++) {
        for (let column = 0; column < 32; column++) {
          const plane = n * 3072 + channel * 1024;
          x[plane + row + 32 * column] = images[plane + 32 * row + column]!;
        }
      }
    }
  }
  const y = Array.from(labels, (label) => (label === 0 ? 10 : label));
  return writeMat5([
    { name: 'X', shape: [32, 32, 3, labels.length], matrixClass: 9, type: 2, values: x },
    { name: 'y', shape: [labels.length, 1], matrixClass: 6, type: 2, values: y },
  ]);
}
