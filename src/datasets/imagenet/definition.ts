import type { DatasetDefinition } from '../dataset.js';
import { imagenetClasses } from './classes.js';

/** Where a person registers and finds the archives. */
export const PAGE = 'https://image-net.org/challenges/LSVRC/2012/2012-downloads.php';

/** Bytes: the checksum list of tensorflow/datasets. MD5: torchvision. The devkit's size is published by neither. */
export const ARCHIVES = {
  train: {
    name: 'ILSVRC2012_img_train.tar',
    bytes: 147_897_477_120,
    md5: '1d675b47d978889d74fa0da5fadfb00e',
  },
  test: { name: 'ILSVRC2012_img_val.tar', bytes: 6_744_924_160, md5: '29b22e2961454d5413ddabcf34fc5622' },
  devkit: { name: 'ILSVRC2012_devkit_t12.tar.gz', md5: 'fa75699e90414af021442c21a62c3abf' },
} as const;

/**
 * Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge", 2015: the data of 2012. Its test split
 * here is the published validation set, as in the paper. Mean and standard deviation: the authors' code, times 255.
 */
export const imagenet: DatasetDefinition = {
  name: 'imagenet',
  title: 'ImageNet (ILSVRC2012)',
  shortName: 'ImageNet',
  table: 3,
  get classNames() {
    return imagenetClasses().map(({ name }) => name);
  },
  image: { channels: 3, height: 224, width: 224 },
  photographs: true,
  trainCount: 1_281_167,
  testCount: 50_000,
  normalization: {
    mean: [0.485, 0.456, 0.406].map((value) => 255 * value),
    deviation: [0.229, 0.224, 0.225].map((value) => 255 * value),
  },
  augmentations: ['mirror', 'sized-crop', 'color-jitter', 'lighting'],
  origin: 'brought',
  sources: [],
  files: [],
};
