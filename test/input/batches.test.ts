import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ImageSet } from '../../src/datasets/dataset.js';
import { drawPlacement } from '../../src/input/augmentation.js';
import { BatchMaker, batchCount, epochOrder, type Split } from '../../src/input/batches.js';

const NORMALIZATION = { mean: [100, 50], deviation: [2, 4] };

function images(count: number, height = 6, width = 5): ImageSet {
  const data = Uint8Array.from({ length: count * 2 * height * width }, (_, i) => (i * 37) % 256);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 7);
  return { count, channels: 2, height, width, images: data, labels };
}

function all(set: ImageSet): Split {
  return { set, indices: Uint32Array.from({ length: set.count }, (_, i) => i) };
}

/** The definition, in the authors' order: normalise, mirror, pad with 0, crop. */
function obvious(set: ImageSet, index: number, epoch: number, seed: number): number[] {
  const { mirrored, down, right } = drawPlacement(['shift', 'mirror'], seed, epoch, index);
  const { channels, height, width } = set;
  const out: number[] = [];
  for (let c = 0; c < channels; c++) {
    const normalized: number[][] = [];
    for (let y = 0; y < height; y++) {
      const at = ((index * channels + c) * height + y) * width;
      const row = [...set.images.subarray(at, at + width)];
      const values = row.map((v) => (v - NORMALIZATION.mean[c]!) / NORMALIZATION.deviation[c]!);
      normalized.push(mirrored ? values.reverse() : values);
    }
    const padded = (y: number, x: number) => normalized[y - 4]?.[x - 4] ?? 0;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) out.push(padded(y + 4 + down, x + 4 + right));
    }
  }
  return out.map(Math.fround);
}

describe('batches', () => {
  test('shift and mirror agree with the definition, image by image', () => {
    const set = images(50);
    for (const epoch of [0, 1, 17]) {
      const batch = new BatchMaker(NORMALIZATION, 50, ['shift', 'mirror'], 3).make(all(set), 0, epoch);
      for (let i = 0; i < 50; i++) {
        expect([...batch.images.subarray(i * 60, (i + 1) * 60)]).toEqual(obvious(set, i, epoch, 3));
      }
    }
  });

  test('without augmentation an image is only normalised', () => {
    const set = images(2);
    const { images: values } = new BatchMaker(NORMALIZATION, 2).make(all(set), 0);
    expect(values[3]).toBe((set.images[3]! - 100) / 2);
    expect(values[30]).toBe((set.images[30]! - 50) / 4);
  });

  test('an image gets the same pixels whatever the batch size, the order and its neighbours', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(300), fc.integer({ min: 1, max: 30 }), (seed, epoch, batchSize) => {
        const set = images(30);
        const augmentation = ['shift', 'mirror'] as const;
        const one = new BatchMaker(NORMALIZATION, 30, augmentation, seed).make(all(set), 0, epoch);
        const order = epochOrder(all(set), seed, epoch);
        const maker = new BatchMaker(NORMALIZATION, batchSize, augmentation, seed);
        const seen: number[] = [];
        for (let b = 0; b < batchCount(order, batchSize); b++) {
          const batch = maker.make(order, b, epoch);
          batch.labels.forEach((label, n) => {
            const index = order.indices[b * batchSize + n]!;
            seen.push(index);
            expect(label).toBe(set.labels[index]);
            expect(batch.images.subarray(n * 60, (n + 1) * 60)).toEqual(
              one.images.subarray(index * 60, (index + 1) * 60),
            );
          });
        }
        expect(seen.sort((a, b) => a - b)).toEqual([...all(set).indices]);
      }),
      { numRuns: 30 },
    );
  });

  test('the last batch keeps what is left', () => {
    const split = all(images(10));
    expect(batchCount(split, 4)).toBe(3);
    expect(new BatchMaker(NORMALIZATION, 4).make(split, 2).labels).toEqual(Int32Array.of(1, 2));
  });

  test('each epoch has its own order, the same on every call', () => {
    const split = all(images(100));
    expect(epochOrder(split, 1, 0).indices).toEqual(epochOrder(split, 1, 0).indices);
    expect(epochOrder(split, 1, 0).indices).not.toEqual(epochOrder(split, 1, 1).indices);
    expect(epochOrder(split, 1, 0).indices).not.toEqual(epochOrder(split, 2, 0).indices);
  });

  test('shifts cover −4 … 4 evenly in both directions, and half of the images are mirrored', () => {
    const draws = Array.from({ length: 81_000 }, (_, i) => drawPlacement(['shift', 'mirror'], 1, 2, i));
    const cells = new Map<string, number>();
    for (const { down, right } of draws) {
      cells.set(`${down},${right}`, (cells.get(`${down},${right}`) ?? 0) + 1);
    }
    expect(cells.size).toBe(81);
    const chiSquare = [...cells.values()].reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(124.8);
    const mirrored = draws.filter((draw) => draw.mirrored).length / draws.length;
    expect(Math.abs(mirrored - 0.5)).toBeLessThan(0.01);
  });
});
