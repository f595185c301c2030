import type { ImageSet } from '../datasets/dataset.js';
import type { Batch } from '../engines/engine.js';
import { key, PURPOSE, permutation } from '../util/random.js';
import { type Augmentation, drawPlacement, type Placement, UNCHANGED } from './augmentation.js';

/** The images of a split, by their indices in a set, in the order in which an epoch visits them. */
export interface Split {
  readonly set: ImageSet;
  readonly indices: Uint32Array;
}

export interface Normalization {
  /** Mean and standard deviation of each channel, on the 0–255 scale. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** The order of an epoch: one fresh permutation of the split, a pure function of (seed, epoch). */
export function epochOrder(split: Split, seed: number, epoch: number): Split {
  const order = permutation(key(seed, PURPOSE.order, epoch), split.indices.length);
  return { set: split.set, indices: order.map((position) => split.indices[position]!) };
}

/** Batches of an epoch; the last one may be smaller. */
export function batchCount(split: Split, batchSize: number): number {
  return Math.ceil(split.indices.length / batchSize);
}

/**
 * Makes batches: bytes are normalised, then mirrored, then shifted, in the authors' order, so that the padding
 * of the shift is 0 after normalisation (the mean colour), not black.
 */
export class BatchMaker {
  /** Normalised value of every byte, for each channel: [C, 256]. */
  private readonly values: Float32Array[];

  constructor(
    normalization: Normalization,
    private readonly batchSize: number,
    private readonly augmentation: readonly Augmentation[] = [],
    private readonly seed = 0,
  ) {
    this.values = normalization.mean.map((mean, c) =>
      Float32Array.from({ length: 256 }, (_, byte) => (byte - mean) / normalization.deviation[c]!),
    );
  }

  /** Batch `number` of a split in epoch `epoch` (the epoch decides the augmentation only). */
  make(split: Split, number: number, epoch = 0): Batch {
    const { set } = split;
    const indices = split.indices.subarray(number * this.batchSize, (number + 1) * this.batchSize);
    const size = set.channels * set.height * set.width;
    const images = new Float32Array(indices.length * size);
    const labels = new Int32Array(indices.length);
    indices.forEach((index, n) => {
      labels[n] = set.labels[index]!;
      const placement =
        this.augmentation.length > 0 ? drawPlacement(this.augmentation, this.seed, epoch, index) : UNCHANGED;
      this.place(
        set,
        set.images.subarray(index * size, (index + 1) * size),
        images.subarray(n * size, (n + 1) * size),
        placement,
      );
    });
    return { images, labels };
  }

  /** Writes one image: `source` bytes [C, H, W] to `target` values [C, H, W]. */
  private place(set: ImageSet, source: Uint8Array, target: Float32Array, placement: Placement): void {
    const { height, width } = set;
    const { mirrored, down, right } = placement;
    const firstY = Math.max(0, -down);
    const endY = Math.min(height, height - down);
    const firstX = Math.max(0, -right);
    const endX = Math.min(width, width - right);
    for (let c = 0; c < set.channels; c++) {
      const values = this.values[c]!;
      for (let y = firstY; y < endY; y++) {
        const row = (c * height + y + down) * width;
        const out = (c * height + y) * width;
        for (let x = firstX; x < endX; x++) {
          const column = mirrored ? width - 1 - (x + right) : x + right;
          target[out + x] = values[source[row + column]!]!;
        }
      }
    }
  }
}
