import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createNativeEngine, type NativeEngine } from '../../src/engines/native/index.js';
import { randomWeights } from '../../src/engines/noise.js';
import type { ImageSource, MadeImages } from '../../src/input/batches.js';
import { MemorySource } from '../../src/input/memory-source.js';
import { type Crop, tenCrops } from '../../src/input/ten-crop.js';
import { argmax, evaluate, type Prediction, rank } from '../../src/training/evaluate.js';
import { bits, key, uniform } from '../../src/util/random.js';
import { silent } from '../../src/util/reporter.js';
import { DEFAULTS, untrained, withModel } from '../engines/conformance/models.js';
import { EXAMPLE, exampleNetwork } from '../reference/examples.js';

describe('rank', () => {
  test('is the place of the label when all are sorted, the first of equals first', () => {
    const logits = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(logits, fc.nat(), (values, at) => {
        const label = at % values.length;
        const sorted = [...values.keys()].sort((a, b) => values[b]! - values[a]! || a - b);
        expect(rank(Float32Array.from(values), label)).toBe(sorted.indexOf(label));
      }),
    );
  });

  test('0 is what argmax finds', () => {
    const row = Float32Array.of(1, 3, 3, -2);
    expect([0, 1, 2, 3].map((label) => rank(row, label))).toEqual([2, 0, 1, 3]);
    expect(rank(row, argmax(row))).toBe(0);
  });

  test('never counts a NaN as right, and it goes before every number', () => {
    const row = Float32Array.of(5, Number.NaN, 4);
    expect([0, 1, 2].map((label) => rank(row, label))).toEqual([1, 3, 2]);
    expect(rank(Float32Array.of(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY), 0)).toBe(1);
  });
});

/** Images of 11 × 9 pixels for a network that takes 8 × 8: value 1000·index + 10·row + column, scaled down. */
class LargerImages implements ImageSource {
  readonly labels: number[];
  constructor(
    readonly count: number,
    classes: number,
  ) {
    this.labels = Array.from({ length: count }, (_, i) => bits(key(3), i) % classes);
  }
  ahead() {
    return 1;
  }
  async make(indices: Uint32Array): Promise<MadeImages> {
    return this.cut(indices, [{ mirrored: false, top: 2, left: 1 }]);
  }
  async makeTenCrops(indices: Uint32Array): Promise<MadeImages> {
    return this.cut(indices, tenCrops(11, 9, 8));
  }
  cut(indices: Uint32Array, crops: readonly Crop[]): MadeImages {
    const images: number[] = [];
    for (const index of indices)
      for (const { mirrored, top, left } of crops)
        for (let c = 0; c < 3; c++)
          for (let y = top; y < top + 8; y++)
            for (let x = left; x < left + 8; x++)
              images.push(uniform(key(index, c), 10 * y + (mirrored ? 8 - x : x)) - 0.5);
    return { images: Float32Array.from(images), indices };
  }
}

describe('evaluate', () => {
  let engine: NativeEngine;
  beforeAll(async () => {
    engine = await createNativeEngine({ device: 'cpu', threads: 2, setup: true, reporter: silent });
  });
  afterAll(() => engine.dispose());

  const images = (count: number, classes: number) => {
    const set = { count, channels: 3, height: 8, width: 8 };
    const pixels = Uint8Array.from({ length: count * 192 }, (_, i) => bits(key(1), i));
    const labels = Uint8Array.from({ length: count }, (_, i) => bits(key(2), i) % classes);
    const normalization = { mean: [128, 128, 128], deviation: [64, 64, 64] };
    const source = new MemorySource({ ...set, images: pixels, labels }, normalization);
    return { source, indices: Uint32Array.from({ length: count }, (_, i) => i) };
  };
  const network = (classes: number) =>
    exampleNetwork({ ...EXAMPLE, height: 8, width: 8, classes, stemChannels: 6, blocks: [1, 1] });
  const evaluated = async (classes: number, batchSize: number) => {
    const predictions: Prediction[] = [];
    const start = untrained(network(classes), randomWeights(network(classes), 1));
    const evaluation = await withModel(engine, network(classes), DEFAULTS, start, (model) =>
      evaluate(model, images(90, classes), {
        batchSize,
        classes,
        onPrediction: (prediction) => predictions.push(prediction),
      }),
    );
    return { evaluation, predictions };
  };

  test('counts top-1 and top-5 errors, whatever the batch size', async () => {
    const { evaluation, predictions } = await evaluated(25, 64);
    const share = (k: number) => {
      const wrong = predictions.filter(({ label, logits }) => {
        const sorted = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]!);
        return !sorted.slice(0, k).includes(label);
      });
      return (100 * wrong.length) / 90;
    };
    expect(evaluation.error).toBeCloseTo(share(1), 10);
    expect(evaluation.top5Error).toBeCloseTo(share(5), 10);
    expect(evaluation.top5Error).toBeLessThan(evaluation.error);
    expect(evaluation.top5Error).toBeGreaterThan(0);
    expect((await evaluated(25, 7)).evaluation).toMatchObject({
      error: evaluation.error,
      top5Error: evaluation.top5Error,
    });
  });

  test('with ten crops judges each image by the sum of their logits', async () => {
    const source = new LargerImages(23, 25);
    const split = { source, indices: Uint32Array.from({ length: 23 }, (_, i) => 22 - i) };
    const start = untrained(network(25), randomWeights(network(25), 1));
    await withModel(engine, network(25), DEFAULTS, start, async (model) => {
      const evaluated = async (tenCrop: boolean, batchSize: number) => {
        const predictions: Prediction[] = [];
        const onPrediction = (prediction: Prediction) => predictions.push(prediction);
        const evaluation = await evaluate(model, split, { batchSize, classes: 25, tenCrop, onPrediction });
        return { evaluation, predictions };
      };
      const { evaluation, predictions } = await evaluated(true, 64);
      expect(evaluation.count).toBe(23);
      for (const { index, logits, label, predicted } of predictions) {
        const sums = new Float64Array(25);
        for (const crop of tenCrops(11, 9, 8)) {
          const { images } = source.cut(Uint32Array.of(index), [crop]);
          (await model.predict(images)).forEach((logit, k) => {
            sums[k]! += logit;
          });
        }
        logits.forEach((logit, k) => {
          expect(logit).toBeCloseTo(sums[k]! / 10, 4);
        });
        expect(label).toBe(source.labels[index]);
        expect(predicted).toBe(sums.indexOf(Math.max(...sums)));
      }
      const wrong = predictions.filter(({ label, predicted }) => label !== predicted).length;
      expect(evaluation.error).toBeCloseTo((100 * wrong) / 23, 10);
      expect((await evaluated(true, 1)).evaluation.error).toBe(evaluation.error);
      expect((await evaluated(false, 64)).predictions[0]!.logits).not.toEqual(predictions[0]!.logits);
    });
  });

  test('has no top-5 error for ten classes', async () => {
    expect((await evaluated(10, 64)).evaluation.top5Error).toBeUndefined();
  });
});
