import { join } from 'node:path';
import type { DatasetDefinition, ImageSet, SourceFile } from './dataset.js';
import { checkLabels } from './formats/format-error.js';
import { readIdx } from './formats/idx.js';

/** Xiao, Rasul and Vollgraf, "Fashion-MNIST", 2017 (zalandoresearch/fashion-mnist). */
const HOST = 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com';

function gzipped(name: string, bytes: number): SourceFile {
  return { name: `${name}.gz`, url: `${HOST}/${name}.gz`, bytes, packing: 'gzip' };
}

/**
 * The digests are of the decompressed files: Debian's package `dataset-fashion-mnist` gzips them anew.
 * Mean and standard deviation are over the 60,000 training images: 72.940352 and 90.021182, rounded.
 */
export const fashionMnist: DatasetDefinition = {
  name: 'fashion-mnist',
  title: 'Fashion-MNIST',
  shortName: 'Fashion-MNIST',
  table: 2,
  classNames: [
    'T-shirt/top',
    'Trouser',
    'Pullover',
    'Dress',
    'Coat',
    'Sandal',
    'Shirt',
    'Sneaker',
    'Bag',
    'Ankle boot',
  ],
  image: { channels: 1, height: 28, width: 28 },
  trainCount: 60_000,
  testCount: 10_000,
  normalization: { mean: [72.94], deviation: [90.02] },
  augmentations: ['shift', 'mirror'],
  origin: 'downloaded',
  sources: [
    gzipped('train-images-idx3-ubyte', 26_421_880),
    gzipped('train-labels-idx1-ubyte', 29_515),
    gzipped('t10k-images-idx3-ubyte', 4_422_102),
    gzipped('t10k-labels-idx1-ubyte', 5_148),
  ],
  files: [
    {
      name: 'train-images-idx3-ubyte',
      bytes: 47_040_016,
      sha256: 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
    },
    {
      name: 'train-labels-idx1-ubyte',
      bytes: 60_008,
      sha256: 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
    },
    {
      name: 't10k-images-idx3-ubyte',
      bytes: 7_840_016,
      sha256: '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
    },
    {
      name: 't10k-labels-idx1-ubyte',
      bytes: 10_008,
      sha256: '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
    },
  ],
};

/** The first 5,000 training and 1,000 test images, normalised as the whole; made by datasets/make-mini.mjs. */
export const fashionMnistMini: DatasetDefinition = {
  ...fashionMnist,
  name: 'fashion-mnist-mini',
  title: 'Fashion-MNIST mini',
  shortName: 'Fashion-MNIST-mini',
  trainCount: 5_000,
  testCount: 1_000,
  origin: 'shipped',
  sources: [],
  files: [
    {
      name: 'train-images-idx3-ubyte.gz',
      bytes: 2_174_951,
      sha256: '56349fea7433d270760aab6ab01dce7bf7212bf50cc82891d48bf26023539d75',
    },
    {
      name: 'train-labels-idx1-ubyte.gz',
      bytes: 2_343,
      sha256: '8d643fef1104c1ae4380601965b1eeb6820ae73ddfee06c42ff5ff419dd91ae2',
    },
    {
      name: 't10k-images-idx3-ubyte.gz',
      bytes: 441_605,
      sha256: '88b031533d21cfee68065186bbf4196b30cbb1a2fadb1a8650cde5e8ea150504',
    },
    {
      name: 't10k-labels-idx1-ubyte.gz',
      bytes: 479,
      sha256: '022859667ecef9511911e2eb65ab155630bd0f6bb0a47bbb1c92c5f91152dd12',
    },
  ],
};

/** Reads four IDX files: training images and labels, test images and labels. Throws `FormatError`. */
export async function readFashionMnist(definition: DatasetDefinition, folder: string) {
  const [trainImages, trainLabels, testImages, testLabels] = definition.files.map((f) =>
    join(folder, f.name),
  );
  return {
    train: await readSplit(definition, trainImages!, trainLabels!, definition.trainCount),
    test: await readSplit(definition, testImages!, testLabels!, definition.testCount),
  };
}

async function readSplit(
  definition: DatasetDefinition,
  imagePath: string,
  labelPath: string,
  count: number,
): Promise<ImageSet> {
  const { height, width } = definition.image;
  const images = await readIdx(imagePath, [count, height, width]);
  const labels = await readIdx(labelPath, [count]);
  checkLabels(labels, definition.classNames.length, labelPath);
  return { count, ...definition.image, images, labels };
}
