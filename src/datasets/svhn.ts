import { join } from 'node:path';
import type { DataFile, DatasetDefinition, ImageSet, SourceFile } from './dataset.js';
import { FormatError } from './formats/format-error.js';
import { type NumericArray, STORAGE, visitMat5 } from './formats/mat5.js';

/** Netzer et al., "Reading Digits in Natural Images with Unsupervised Feature Learning", 2011. */
const HOST = 'http://ufldl.stanford.edu/housenumbers';

/** Size and SHA-256: the checksum lists of tensorflow/datasets. */
const FILES: readonly (DataFile & { readonly sha256: string })[] = [
  {
    name: 'train_32x32.mat',
    bytes: 182_040_794,
    sha256: '435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8',
  },
  {
    name: 'extra_32x32.mat',
    bytes: 1_329_278_602,
    sha256: 'a133a4beb38a00fcdda90c9489e0c04f900b660ce8a316a5e854838379a71eb3',
  },
  {
    name: 'test_32x32.mat',
    bytes: 64_275_384,
    sha256: 'cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b',
  },
];

const TRAIN_IMAGES = 73_257;
const EXTRA_IMAGES = 531_131;

/** Training images are train_32x32.mat, then extra_32x32.mat. The paper divides by 255 and no more (section 4.1). */
export const svhn: DatasetDefinition = {
  name: 'svhn',
  title: 'SVHN',
  shortName: 'SVHN',
  table: 2,
  classNames: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  image: { channels: 3, height: 32, width: 32 },
  trainCount: TRAIN_IMAGES + EXTRA_IMAGES,
  testCount: 26_032,
  normalization: { mean: [0, 0, 0], deviation: [255, 255, 255] },
  augmentations: ['shift', 'mirror'],
  origin: 'downloaded',
  sources: FILES.map((file): SourceFile => ({ ...file, url: `${HOST}/${file.name}`, packing: 'plain' })),
  files: FILES,
  holdOutParts: [
    { first: 0, count: TRAIN_IMAGES, perClass: 400 },
    { first: TRAIN_IMAGES, count: EXTRA_IMAGES, perClass: 200 },
  ],
};

/** Reads SVHN: every file but the last is training images, in order. Throws `FormatError`. */
export async function readSvhn(definition: DatasetDefinition, folder: string) {
  return {
    train: await readSplit(definition, folder, definition.files.slice(0, -1), definition.trainCount),
    test: await readSplit(definition, folder, definition.files.slice(-1), definition.testCount),
  };
}

/** Labels of ten classes fit into bytes. */
type DigitSet = ImageSet & { readonly labels: Uint8Array };

async function readSplit(
  definition: DatasetDefinition,
  folder: string,
  files: readonly DataFile[],
  count: number,
): Promise<ImageSet> {
  const split = {
    count,
    ...definition.image,
    images: new Uint8Array(count * IMAGE),
    labels: new Uint8Array(count),
  } satisfies ImageSet;
  let done = 0;
  for (const file of files) done += await readFileInto(join(folder, file.name), split, done);
  if (done !== count) throw new FormatError(folder, `holds ${done} images, expected ${count}`);
  return split;
}

const PLANE = 32 * 32;
const IMAGE = 3 * PLANE;

/** Reads `X` (uint8, 32×32×3×N) and `y` (N×1) into place; returns N. */
async function readFileInto(path: string, split: DigitSet, first: number): Promise<number> {
  let images = -1;
  let labels = -1;
  const room = split.count - first;
  await visitMat5(path, async (array) => {
    if (array.name === 'X') images = await readImages(array, path, split.images, first, room);
    if (array.name === 'y') labels = await readLabels(array, path, split.labels, first, room);
  });
  if (images < 0 || labels < 0) throw new FormatError(path, `has no array '${images < 0 ? 'X' : 'y'}'`);
  if (images !== labels) throw new FormatError(path, `has ${images} images and ${labels} labels`);
  return images;
}

async function readImages(
  array: NumericArray,
  path: string,
  target: Uint8Array,
  first: number,
  room: number,
) {
  const [height, width, channels, count = 1] = array.shape;
  const fits = array.bytes === count * IMAGE && count <= room;
  if (!fits || height !== 32 || width !== 32 || channels !== 3 || array.storage !== STORAGE.uint8) {
    const most = `uint8 32×32×3 with at most ${room} images`;
    throw new FormatError(path, `has an X of shape ${array.shape.join('×')}, expected ${most}`);
  }
  let done = 0;
  while (done < array.bytes) {
    const chunk = await array.some(array.bytes - done);
    transpose(chunk, done, target.subarray(first * IMAGE));
    done += chunk.length;
  }
  return count;
}

/** Where a byte of a plane goes: MATLAB stores the row fastest, an image set the column. */
const ROW_MAJOR = Uint16Array.from({ length: PLANE }, (_, i) => (i % 32) * 32 + Math.floor(i / 32));

/** Copies bytes `start …` of column-major planes to their row-major places. */
function transpose(chunk: Uint8Array, start: number, target: Uint8Array): void {
  for (let i = 0; i < chunk.length; i++) {
    const from = start + i;
    const within = from % PLANE;
    target[from - within + ROW_MAJOR[within]!] = chunk[i]!;
  }
}

/** Labels are 1 … 10, where 10 is the digit 0. */
async function readLabels(
  array: NumericArray,
  path: string,
  target: Uint8Array,
  first: number,
  room: number,
) {
  const count = array.bytes / array.storage.bytes;
  if (count > room) throw new FormatError(path, `has ${count} labels, expected at most ${room}`);
  const labels = await array.numbers();
  labels.forEach((label, i) => {
    if (!Number.isInteger(label) || label < 1 || label > 10) {
      throw new FormatError(path, `image ${i} has label ${label}, expected 1 to 10`);
    }
    target[first + i] = label % 10;
  });
  return labels.length;
}
