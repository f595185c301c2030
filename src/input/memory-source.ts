import { setImmediate } from 'node:timers/promises';
import type { Augmentation, ImageSet } from '../datasets/dataset.js';
import { drawPlacement, type Placement, UNCHANGED } from './augmentation.js';
import type { ImageSource, MadeImages } from './batches.js';

export interface Normalization {
  /** Mean and standard deviation of each channel, on the 0–255 scale. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/**
 * Images that lie in memory as bytes. They are normalised, then mirrored, then shifted, in the authors' order, so
 * that the padding of the shift is 0 after normalisation (the mean colour), not black.
 */
export class MemorySource implements ImageSource {
  readonly count: number;
  readonly labels: Uint8Array | Uint16Array;
  /** Normalised value of every byte, for each channel: [C, 256]. */
  private readonly values: Float32Array[];

  constructor(
    private readonly set: ImageSet,
    normalization: Normalization,
    private readonly augmentation: readonly Augmentation[] = [],
    private readonly seed = 0,
  ) {
    this.count = set.count;
    this.labels = set.labels;
    this.values = normalization.mean.map((mean, c) =>
      Float32Array.from({ length: 256 }, (_, byte) => (byte - mean) / normalization.deviation[c]!),
    );
  }

  ahead(): number {
    return 1;
  }

  async make(indices: Uint32Array, epoch: number | undefined): Promise<MadeImages> {
    // Whoever waits for the batch before this one hands it to the engine first.
    await setImmediate();
    const { set } = this;
    const size = set.channels * set.height * set.width;
    const images = new Float32Array(indices.length * size);
    indices.forEach((index, n) => {
      const source = set.images.subarray(index * size, (index + 1) * size);
      this.place(source, images.subarray(n * size, (n + 1) * size), this.placement(index, epoch));
    });
    return { images, indices };
  }

  private placement(index: number, epoch: number | undefined): Placement {
    if (epoch === undefined || this.augmentation.length === 0) return UNCHANGED;
    return drawPlacement(this.augmentation, this.seed, epoch, index);
  }

  /** Writes one image: `source` bytes [C, H, W] to `target` values [C, H, W]. */
  private place(source: Uint8Array, target: Float32Array, placement: Placement): void {
    const { channels, height, width } = this.set;
    const { mirrored, down, right } = placement;
    const firstY = Math.max(0, -down);
    const endY = Math.min(height, height - down);
    const firstX = Math.max(0, -right);
    const endX = Math.min(width, width - right);
    for (let c = 0; c < channels; c++) {
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
