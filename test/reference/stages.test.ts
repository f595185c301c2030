import { describe, expect, test } from 'vitest';
import { key, normal } from '../../src/util/random.js';
import { normalizeByBatch, normalizeByRunning } from './batch-norm.js';
import { countCorrect, crossEntropy, linear } from './classifier.js';
import { convolution } from './convolution.js';
import { concatenate, dropout, relu } from './elementwise.js';
import { gradientError } from './finite-differences.js';
import { averagePooling, globalAverage, maxPooling } from './pooling.js';
import { sgd } from './sgd.js';
import { Tape, type Value, value } from './tape.js';

function random(shape: readonly number[], seed: number): Value {
  const empty = value(shape);
  return value(
    shape,
    empty.data.map((_, i) => normal(key(seed), i)),
  );
}

/** Σ cᵢxᵢ with fixed random c: makes a scalar of any result, so that every part of its gradient is tested. */
function weightedSum(tape: Tape, x: Value): Value {
  const coefficients = random(x.shape, 99).data;
  const y = value([1], [x.data.reduce((sum, v, i) => sum + v * coefficients[i]!, 0)]);
  tape.record(() => {
    for (let i = 0; i < x.data.length; i++) x.gradient[i]! += y.gradient[0]! * coefficients[i]!;
  });
  return y;
}

const maps = (data: number[], height: number, width: number) => value([1, 1, height, width], data);
const newNorm = (channels: number) => ({
  gamma: random([channels], 11),
  beta: random([channels], 12),
  mean: random([channels], 13),
  variance: value([channels], new Float64Array(channels).fill(2)),
});

describe('gradients agree with central differences', () => {
  test.each([
    { shape: [2, 3, 5, 4], outputs: 2, kernel: 3, stride: 1, padding: 1 },
    { shape: [2, 5, 3, 3], outputs: 4, kernel: 1, stride: 1, padding: 0 },
    { shape: [1, 1, 9, 7], outputs: 3, kernel: 7, stride: 2, padding: 3 },
    { shape: [1, 2, 4, 5], outputs: 1, kernel: 3, stride: 2, padding: 0 },
  ])('convolution $kernel×$kernel of $shape, stride $stride, padding $padding', (c) => {
    const x = random(c.shape, 1);
    const weight = random([c.outputs, c.shape[1]!, c.kernel, c.kernel], 2);
    const loss = (tape: Tape) => weightedSum(tape, convolution(tape, x, weight, c.stride, c.padding));
    expect(gradientError([x, weight], loss)).toBeLessThan(1e-6);
  });

  test.each([[[2, 3, 4, 5]], [[1, 2, 3, 1]], [[7, 1, 1, 1]]])('batch normalisation of %j', (shape) => {
    const x = random(shape, 1);
    const norm = newNorm(shape[1]!);
    const loss = (tape: Tape) => weightedSum(tape, normalizeByBatch(tape, x, norm));
    expect(gradientError([x, norm.gamma, norm.beta], loss)).toBeLessThan(1e-6);
  });

  test.each([
    [[1, 2, 5, 7], 3, 2, 1],
    [[2, 1, 6, 4], 3, 2, 1],
    [[1, 1, 4, 4], 2, 2, 0],
  ])('max pooling of %j, kernel %i, stride %i, padding %i', (shape, kernel, stride, padding) => {
    const x = random(shape, 1);
    const loss = (tape: Tape) => weightedSum(tape, maxPooling(tape, x, kernel, stride, padding));
    expect(gradientError([x], loss)).toBeLessThan(1e-6);
  });

  test.each([[[2, 3, 4, 6]], [[1, 2, 5, 7]], [[1, 1, 2, 3]]])('average pooling of %j', (shape) => {
    const x = random(shape, 1);
    expect(gradientError([x], (tape) => weightedSum(tape, averagePooling(tape, x)))).toBeLessThan(1e-6);
    expect(gradientError([x], (tape) => weightedSum(tape, globalAverage(tape, x)))).toBeLessThan(1e-6);
  });

  test('ReLU, dropout and concatenation', () => {
    const a = random([2, 3, 3, 2], 1);
    const b = random([2, 1, 3, 2], 2);
    const mask = a.data.map((_, i) => (i % 3 === 0 ? 0 : 1.5));
    const loss = (tape: Tape) =>
      weightedSum(tape, concatenate(tape, dropout(tape, relu(tape, a), mask), relu(tape, b)));
    expect(gradientError([a, b], loss)).toBeLessThan(1e-6);
  });

  test('fully connected layer and cross-entropy', () => {
    const x = random([3, 4], 1);
    const weight = random([5, 4], 2);
    const bias = random([5], 3);
    const loss = (tape: Tape) => crossEntropy(tape, linear(tape, x, weight, bias), Int32Array.of(4, 0, 2));
    expect(gradientError([x, weight, bias], loss)).toBeLessThan(1e-6);
  });
});

describe('results worked out by hand', () => {
  test('a convolution does not flip its kernel; padding is 0', () => {
    const weight = value([1, 1, 3, 3], [0, 0, 0, 0, 0, 1, 0, 0, 0]);
    const y = convolution(new Tape(), maps([1, 2, 3, 4, 5, 6], 2, 3), weight, 1, 1);
    expect([...y.data]).toEqual([2, 3, 0, 5, 6, 0]);
  });

  test('batch normalisation: biased variance for the batch, unbiased for the running one', () => {
    const norm = {
      gamma: value([1], [2]),
      beta: value([1], [1]),
      mean: value([1], [10]),
      variance: value([1], [1]),
    };
    const x = maps([0, 2], 1, 2);
    const evaluated = normalizeByRunning(x, norm);
    expect(evaluated.data[0]).toBeCloseTo(1 - 20 / Math.sqrt(1 + 1e-5), 12);
    const y = normalizeByBatch(new Tape(), x, norm);
    expect(y.data[1]).toBeCloseTo(1 + 2 / Math.sqrt(1 + 1e-5), 12);
    expect(norm.mean.data[0]).toBeCloseTo(0.9 * 10 + 0.1 * 1, 12);
    expect(norm.variance.data[0]).toBeCloseTo(0.9 * 1 + 0.1 * 2, 12);
  });

  test('max pooling: padding never wins', () => {
    const y = maxPooling(new Tape(), maps([-1, -2, -3, -4], 2, 2), 3, 2, 1);
    expect([...y.data]).toEqual([-1]);
  });

  test('average pooling leaves out an odd last row and column', () => {
    const y = averagePooling(new Tape(), maps([1, 2, 100, 3, 4, 100, 100, 100, 100], 3, 3));
    expect([...y.data]).toEqual([2.5]);
  });

  test('cross-entropy of equal logits is log of the number of classes; large logits do not overflow', () => {
    const tape = new Tape();
    expect(crossEntropy(tape, value([2, 4]), Int32Array.of(1, 3)).data[0]).toBeCloseTo(Math.log(4), 12);
    expect(crossEntropy(tape, value([1, 2], [1000, 0]), Int32Array.of(1)).data[0]).toBeCloseTo(1000, 9);
  });

  test('counts the images whose largest logit is at the label', () => {
    expect(countCorrect(Float64Array.of(1, 2, 3, 1, 0, 5), Int32Array.of(1, 0, 1))).toBe(3);
    expect(countCorrect(Float64Array.of(1, 2, 3, 1, 0, 5), Int32Array.of(0, 0, 1))).toBe(2);
  });

  test.each([
    { nesterov: true, after: [1 - 0.1 * (0.7 + 0.9 * 0.7), 0.7] },
    { nesterov: false, after: [1 - 0.1 * 0.7, 0.7] },
  ])('gradient descent, nesterov $nesterov', ({ nesterov, after }) => {
    const weight = value([1], [1]);
    weight.gradient[0] = 0.5;
    const momentum = new Float64Array(1);
    sgd(weight, momentum, 0.1, { momentum: 0.9, weightDecay: 0.2, nesterov });
    expect(weight.data[0]).toBeCloseTo(after[0]!, 12);
    expect(momentum[0]).toBeCloseTo(after[1]!, 12);
    weight.gradient[0] = 0;
    sgd(weight, momentum, 0, { momentum: 0.9, weightDecay: 0, nesterov });
    expect(momentum[0]).toBeCloseTo(0.9 * 0.7, 12);
  });
});
