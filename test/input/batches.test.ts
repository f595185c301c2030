import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ImageSet } from '../../src/datasets/dataset.js';
import { drawPlacement } from '../../src/input/augmentation.js';
import { batchCount, batches, epochOrder, type ImageSource, type Split } from '../../src/input/batches.js';
import { MemorySource } from '../../src/input/memory-source.js';

const NORMALIZATION = { mean: [100, 50], deviation: [2, 4] };

function images(count: number, height = 6, width = 5): ImageSet {
  const data = Uint8Array.from({ length: count * 2 * height * width }, (_, i) => (i * 37) % 256);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 7);
  return { count, channels: 2, height, width, images: data, labels };
}

function all(source: ImageSource): Split {
  return { source, indices: Uint32Array.from({ length: source.count }, (_, i) => i) };
}

function plain(set: ImageSet): Split {
  return all(new MemorySource(set, NORMALIZATION));
}

function augmented(set: ImageSet, seed: number): Split {
  return all(new MemorySource(set, NORMALIZATION, ['shift', 'mirror'], seed));
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
  test('shift and mirror agree with the definition, image by image', async () => {
    const set = images(50);
    const { source, indices } = augmented(set, 3);
    for (const epoch of [0, 1, 17]) {
      const batch = await source.make(indices, epoch);
      for (let i = 0; i < 50; i++) {
        expect([...batch.images.subarray(i * 60, (i + 1) * 60)]).toEqual(obvious(set, i, epoch, 3));
      }
    }
  });

  test('without an epoch an image is only normalised', async () => {
    const set = images(2);
    for (const { source, indices } of [plain(set), augmented(set, 3)]) {
      const { images: values } = await source.make(indices, undefined);
      expect(values[3]).toBe((set.images[3]! - 100) / 2);
      expect(values[30]).toBe((set.images[30]! - 50) / 4);
    }
  });

  test('an image gets the same pixels whatever the batch size, the order and its neighbours', async () => {
    const property = fc.asyncProperty(
      fc.nat(1000),
      fc.nat(300),
      fc.integer({ min: 1, max: 30 }),
      async (seed, epoch, batchSize) => {
        const set = images(30);
        const split = augmented(set, seed);
        const one = await split.source.make(split.indices, epoch);
        const order = epochOrder(split, seed, epoch);
        const seen: number[] = [];
        for await (const batch of batches(order, { batchSize, epoch })) {
          batch.labels.forEach((label, n) => {
            const index = order.indices[seen.length]!;
            seen.push(index);
            expect(batch.indices[n]).toBe(index);
            expect(label).toBe(set.labels[index]);
            expect(batch.images.subarray(n * 60, (n + 1) * 60)).toEqual(
              one.images.subarray(index * 60, (index + 1) * 60),
            );
          });
        }
        expect(seen.sort((a, b) => a - b)).toEqual([...split.indices]);
      },
    );
    await fc.assert(property, { numRuns: 30 });
  });

  test('the last batch keeps what is left; batches begin where they are asked to', async () => {
    const split = plain(images(10));
    expect(batchCount(split, 4)).toBe(3);
    const labels: number[][] = [];
    for await (const batch of batches(split, { batchSize: 4, first: 1 })) labels.push([...batch.labels]);
    expect(labels).toEqual([
      [4, 5, 6, 0],
      [1, 2],
    ]);
  });

  test('as many batches are made ahead as the source finds worth it, and never more', async () => {
    const asked: number[] = [];
    const source: ImageSource = {
      count: 20,
      labels: new Uint8Array(20),
      ahead: () => 3,
      make: async (indices) => {
        asked.push(indices[0]!);
        return { images: new Float32Array(2), indices };
      },
    };
    let used = 0;
    for await (const batch of batches(all(source), { batchSize: 2 })) {
      expect(batch.indices[0]).toBe(2 * used);
      expect(asked.length).toBe(Math.min(10, used + 4));
      used++;
    }
    expect(used).toBe(10);
  });

  test('a batch that cannot be made is an error in its turn; those before it are delivered', async () => {
    const source: ImageSource = {
      count: 4,
      labels: new Uint8Array(4),
      ahead: () => 2,
      make: async (indices) => {
        if (indices[0]! >= 2) throw new Error(`image ${indices[0]}`);
        return { images: new Float32Array(1), indices };
      },
    };
    const seen: number[] = [];
    const loop = async () => {
      for await (const batch of batches(all(source), { batchSize: 1 })) {
        seen.push(batch.indices[0]!);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    await expect(loop()).rejects.toThrow('image 2');
    expect(seen).toEqual([0, 1]);
  });

  test('each epoch has its own order, the same on every call', () => {
    const split = plain(images(100));
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
