import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import type { Model } from '../../src/engines/engine.js';
import { type Evaluation, evaluate } from '../../src/training/evaluate.js';

interface Fixture {
  readonly logits: number[][];
  readonly labels: number[];
  readonly confusion: number[][];
  readonly precision: (number | null)[];
  readonly recall: (number | null)[];
  readonly f1: (number | null)[];
  readonly bins: { count: number; confidence: number; accuracy: number }[];
  readonly calibrationError: number;
}

/** What scikit-learn says; scikit_learn.py writes it. */
const EXPECTED: Fixture = JSON.parse(
  readFileSync(new URL('fixtures/scikit-learn.json', import.meta.url), 'utf8'),
);
const CLASSES = EXPECTED.confusion.length;
const COUNT = EXPECTED.labels.length;

let evaluation: Evaluation;

beforeAll(async () => {
  // Images are their own numbers, and the network knows the logits of each.
  const predict = async (images: Float32Array) =>
    Float32Array.from(Array.from(images).flatMap((index) => EXPECTED.logits[index]!));
  const source = {
    count: COUNT,
    labels: EXPECTED.labels,
    ahead: () => 1,
    make: async (indices: Uint32Array) => ({ images: Float32Array.from(indices), indices }),
  };
  const split = { source, indices: Uint32Array.from({ length: COUNT }, (_, index) => index) };
  evaluation = await evaluate({ predict } as unknown as Model, split, { batchSize: 64, classes: CLASSES });
});

test('the confusion matrix is that of scikit-learn', () => {
  const range = Array.from({ length: CLASSES }, (_, c) => c);
  expect(range.map((label) => range.map((c) => evaluation.confusion.at(label, c)))).toEqual(
    EXPECTED.confusion,
  );
});

test.each(['precision', 'recall', 'f1'] as const)(
  '%s is that of scikit-learn, empty where it is undefined',
  (score) => {
    const scores = evaluation.classes.map((entry) => entry[score] ?? null);
    // Class 5 has no image: scikit-learn's F1 of nothing right is 0, and so is ours.
    expect(scores).toEqual(
      EXPECTED[score].map((value) => (value === null ? null : expect.closeTo(value, 12))),
    );
  },
);

test('calibration is that of scikit-learn', () => {
  const { bins, error } = evaluation.calibration;
  expect(bins).toEqual(
    EXPECTED.bins.map(({ count, confidence, accuracy }) => ({
      count,
      confidence: expect.closeTo(confidence, 6),
      accuracy: expect.closeTo(accuracy, 12),
    })),
  );
  expect(error).toBeCloseTo(EXPECTED.calibrationError, 6);
});
