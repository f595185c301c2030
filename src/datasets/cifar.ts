import { join } from 'node:path';
import type { DataFile, DatasetDefinition, ImageSet } from './dataset.js';
import { CIFAR_IMAGE_BYTES, type CifarLayout, readCifarBinary } from './formats/cifar-binary.js';
import { checkLabels, FormatError } from './formats/format-error.js';

/** Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. */
const HOST = 'https://www.cs.toronto.edu/~kriz';

/** Size and SHA-256: the checksum lists of tensorflow/datasets. Mean and standard deviation: the authors' code. */
export const cifar10: DatasetDefinition = {
  name: 'cifar10',
  title: 'CIFAR-10',
  shortName: 'C10',
  table: 2,
  classNames: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
  image: { channels: 3, height: 32, width: 32 },
  trainCount: 50_000,
  testCount: 10_000,
  normalization: { mean: [125.3, 123.0, 113.9], deviation: [63.0, 62.1, 66.7] },
  augmentations: ['shift', 'mirror'],
  origin: 'downloaded',
  sources: [
    {
      name: 'cifar-10-binary.tar.gz',
      url: `${HOST}/cifar-10-binary.tar.gz`,
      bytes: 170_052_171,
      sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
      packing: 'tar.gz',
      innerFolder: 'cifar-10-batches-bin',
      otherVersions: {
        Python: ['cifar-10-python.tar.gz', 'cifar-10-batches-py'],
        Matlab: ['cifar-10-matlab.tar.gz', 'cifar-10-batches-mat'],
      },
    },
  ],
  files: [
    ...[1, 2, 3, 4, 5].map((batch) => ({ name: `data_batch_${batch}.bin`, bytes: 30_730_000 })),
    { name: 'test_batch.bin', bytes: 30_730_000 },
  ],
  variants: [
    {
      name: 'JPEG',
      digest: '91bfd5adec305d959862a08a56cda9b2212cadad04731a810a22cbab5e7968b7',
      note: 'These are the images of CIFAR-10 after JPEG compression. Pixels differ a little, so will errors.',
    },
  ],
};

/** The MD5 of the unpacked files is a third party's. */
export const cifar100: DatasetDefinition = {
  name: 'cifar100',
  title: 'CIFAR-100',
  shortName: 'C100',
  table: 2,
  classNames:
    `apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
    camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
    dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard
    lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear
    pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark
    shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone
    television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm`.split(
      /\s+/,
    ),
  image: { channels: 3, height: 32, width: 32 },
  trainCount: 50_000,
  testCount: 10_000,
  normalization: { mean: [129.3, 124.1, 112.4], deviation: [68.2, 65.4, 70.4] },
  augmentations: ['shift', 'mirror'],
  origin: 'downloaded',
  sources: [
    {
      name: 'cifar-100-binary.tar.gz',
      url: `${HOST}/cifar-100-binary.tar.gz`,
      bytes: 168_513_733,
      sha256: '58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec',
      packing: 'tar.gz',
      innerFolder: 'cifar-100-binary',
      otherVersions: {
        Python: ['cifar-100-python.tar.gz', 'cifar-100-python'],
        Matlab: ['cifar-100-matlab.tar.gz', 'cifar-100-matlab'],
      },
    },
  ],
  files: [
    { name: 'train.bin', bytes: 153_700_000, md5: '6172c7755cfe09b2fe270c85cebc1b15' },
    { name: 'test.bin', bytes: 30_740_000, md5: '4499cfba6c016c1be1438163640a0898' },
  ],
};

/** Reads CIFAR-10 or CIFAR-100: every file but the last is training images, in order. Throws `FormatError`. */
export async function readCifar(definition: DatasetDefinition, folder: string) {
  const layout =
    definition.name === 'cifar100' ? { labelBytes: 2, labelAt: 1 } : { labelBytes: 1, labelAt: 0 };
  return {
    train: await readSplit(definition, folder, definition.files.slice(0, -1), definition.trainCount, layout),
    test: await readSplit(definition, folder, definition.files.slice(-1), definition.testCount, layout),
  };
}

async function readSplit(
  definition: DatasetDefinition,
  folder: string,
  files: readonly DataFile[],
  count: number,
  layout: CifarLayout,
): Promise<ImageSet> {
  const images = new Uint8Array(count * CIFAR_IMAGE_BYTES);
  const labels = new Uint8Array(count);
  let done = 0;
  for (const file of files) {
    const path = join(folder, file.name);
    const read = await readCifarBinary(path, layout, images, labels, done);
    checkLabels(labels.subarray(done, done + read), definition.classNames.length, path);
    done += read;
  }
  if (done !== count) throw new FormatError(folder, `holds ${done} images, expected ${count}`);
  return { count, ...definition.image, images, labels };
}
