import {
  type Augmentation,
  type Dataset,
  type DatasetOf,
  FOLDER,
  type ImageSet,
} from '../datasets/dataset.js';
import type { Reporter } from '../util/reporter.js';
import type { ResizeStyle } from './augmentation.js';
import type { ImageSource } from './batches.js';
import { MemorySource } from './memory-source.js';

export interface SourcesOptions {
  /** Of the training images, in training. */
  readonly augmentation: readonly Augmentation[];
  readonly seed: number;
  readonly resize: ResizeStyle | undefined;
  /** Threads that decode images; one per core when undefined. */
  readonly workers: number | undefined;
  readonly skipBadImages: boolean;
  readonly reporter: Reporter;
}

export interface Sources {
  readonly train: ImageSource;
  readonly test: ImageSource;
  /** The images that could not be read and were left out so far. */
  skippedImages(): readonly string[];
  close(): Promise<void>;
}

/**
 * Opens the images of a dataset as the network's input: those in memory, or those in files with threads to decode them.
 */
export async function openSources(dataset: Dataset, options: SourcesOptions): Promise<Sources> {
  const { name, normalization, image } = dataset.definition;
  const { skipped = [] } = dataset;
  const { augmentation, seed, resize = 'paper', workers } = options;
  if (isInMemory(dataset)) {
    return {
      train: new MemorySource(dataset.train, normalization, augmentation, seed),
      test: new MemorySource(dataset.test, normalization),
      skippedImages: () => skipped,
      close: async () => undefined,
    };
  }
  const { DecodingPool } = await import('./images/pool.js');
  const { FileSource } = await import('./images/file-source.js');
  const pool = new DecodingPool(workers);
  const preparation = {
    side: image.height,
    augmentation,
    seed,
    resize,
    normalization,
    anyFormat: name === FOLDER,
  };
  const train = new FileSource(dataset.train, { ...options, pool, preparation });
  const test = new FileSource(dataset.test, { ...options, pool, preparation });
  return {
    train,
    test,
    skippedImages: () => [...skipped, ...train.skipped.values(), ...test.skipped.values()],
    close: () => pool.close(),
  };
}

function isInMemory(dataset: Dataset): dataset is DatasetOf<ImageSet> {
  return 'images' in dataset.train;
}
