import type { Batch } from '../engines/engine.js';
import { key, PURPOSE, permutation } from '../util/random.js';

/**
 * Labelled images that can be made into the network's input, one batch at a time. Where they come from, memory or
 * files that are decoded when they are needed, is up to the source.
 */
export interface ImageSource {
  readonly count: number;
  /** [N], 0 … classes−1. */
  readonly labels: ArrayLike<number>;
  /** How many batches of this size are worth making ahead of their use. At least 1. */
  ahead(batchSize: number): number;
  /**
   * Makes images: augmented for an epoch, or plain where it is undefined. The pixels are a pure function of index,
   * epoch and seed. Throws a UserError (data) that names an image which cannot be read, unless such are skipped; then
   * there may be none.
   */
  make(indices: Uint32Array, epoch: number | undefined): Promise<MadeImages>;
  /**
   * Makes the ten crops of plain images (`tenCrops`), [10·N, C, H, W], the crops of an image one after another. Only
   * where images are larger than the network's input: `DatasetDefinition.photographs`.
   */
  makeTenCrops?(indices: Uint32Array): Promise<MadeImages>;
  /** Takes back the memory of images that nobody needs any more, for later ones. */
  release?(made: MadeImages): void;
}

export interface MadeImages {
  /** Normalised, [N, C, H, W] row-major; of ten crops [10·N, C, H, W]. */
  readonly images: Float32Array;
  /** Which images they are: the indices asked for, without those that were skipped. [N] */
  readonly indices: Uint32Array;
}

/** A batch that knows which images of its source it holds. */
export interface InputBatch extends Batch, MadeImages {
  /** Its place among the batches of the epoch, from 0. */
  readonly number: number;
}

/** Some images of a source, by their indices, in the order in which an epoch visits them. */
export interface Split {
  readonly source: ImageSource;
  readonly indices: Uint32Array;
}

/** The images of an experiment. */
export interface Splits {
  readonly train: Split;
  readonly validation?: Split;
  readonly test: Split;
}

/** The order of an epoch: one fresh permutation of the split, a pure function of (seed, epoch). */
export function epochOrder(split: Split, seed: number, epoch: number): Split {
  const order = permutation(key(seed, PURPOSE.order, epoch), split.indices.length);
  return { source: split.source, indices: order.map((position) => split.indices[position]!) };
}

/** Batches of an epoch; the last one may be smaller. */
export function batchCount(split: Split, batchSize: number): number {
  return Math.ceil(split.indices.length / batchSize);
}

export interface BatchesOptions {
  readonly batchSize: number;
  /** Number of the first batch, and of the one after the last; all where left out. */
  readonly first?: number;
  readonly end?: number;
  /** Which of a batch's images are made, where others are made elsewhere. */
  readonly share?: (indices: Uint32Array) => Uint32Array;
  /** Augments as in this epoch; plain images where left out. */
  readonly epoch?: number;
  /** The ten crops of each image instead of one. */
  readonly tenCrop?: boolean;
  /** Called with the images of the batch after the one in use, as soon as they are made: of all but the first. */
  readonly onNext?: (images: Float32Array) => void;
}

/**
 * The batches of a split, in order, but for those of which no image can be read; shares of them are there even so.
 * While one is in use the next ones are made, as many as the source finds worth it, so memory is bounded: a batch may
 * be used until the next one is asked for. Leaving the loop early waits for those under way.
 */
export async function* batches(
  split: Split,
  options: BatchesOptions,
): AsyncGenerator<InputBatch, void, void> {
  const { source, indices } = split;
  const { batchSize, first = 0, epoch, tenCrop = false, share, onNext } = options;
  const make = (part: Uint32Array) => (tenCrop ? source.makeTenCrops!(part) : source.make(part, epoch));
  const total = Math.min(batchCount(split, batchSize), options.end ?? Number.POSITIVE_INFINITY);
  const ahead = source.ahead(batchSize);
  const pending: Promise<MadeImages>[] = [];
  let next = first;
  try {
    for (let number = first; number < total; number++) {
      for (; next < total && next <= number + ahead; next++) {
        const whole = indices.subarray(next * batchSize, (next + 1) * batchSize);
        const made = make(share ? share(whole) : whole);
        made.catch(() => undefined); // Reported when its turn comes.
        pending.push(made);
      }
      const made = await pending.shift()!;
      if (onNext)
        void pending[0]?.then(
          ({ images }) => onNext(images),
          () => undefined,
        );
      if (made.indices.length > 0 || share) yield { ...made, number, labels: labelsOf(source, made) };
      source.release?.(made);
    }
  } finally {
    await Promise.allSettled(pending);
  }
}

/** The classes of images, [N]. */
export function labelsOf(source: ImageSource, { indices }: MadeImages): Int32Array {
  return Int32Array.from(indices, (index) => source.labels[index]!);
}
