import { BN_EPSILON, BN_MOMENTUM } from '../../src/networks/network.js';
import { mapShape, type Tape, type Value, value } from './tape.js';

/** Batch normalisation (Ioffe and Szegedy 2015) of every channel. gamma, beta, mean, variance: [C]. */
export interface BatchNorm {
  readonly gamma: Value;
  readonly beta: Value;
  /** Running mean and (unbiased) variance; training moves them. */
  readonly mean: Value;
  readonly variance: Value;
}

/** With the running statistics. */
export function normalizeByRunning(x: Value, { gamma, beta, mean, variance }: BatchNorm): Value {
  const y = value(x.shape);
  eachOfChannel(x, (i, c) => {
    const normalized = (x.data[i]! - mean.data[c]!) / Math.sqrt(variance.data[c]! + BN_EPSILON);
    y.data[i] = gamma.data[c]! * normalized + beta.data[c]!;
  });
  return y;
}

/** With the batch's mean and biased variance; moves the running statistics towards the batch's. */
export function normalizeByBatch(tape: Tape, x: Value, { gamma, beta, mean, variance }: BatchNorm): Value {
  const [n, channels, height, width] = mapShape(x);
  const m = n * height * width;

  const batchMean = new Float64Array(channels);
  eachOfChannel(x, (i, c) => {
    batchMean[c]! += x.data[i]! / m;
  });
  const batchVariance = new Float64Array(channels);
  eachOfChannel(x, (i, c) => {
    batchVariance[c]! += (x.data[i]! - batchMean[c]!) ** 2 / m;
  });
  for (let c = 0; c < channels; c++) {
    const unbiased = (batchVariance[c]! * m) / (m - 1);
    mean.data[c] = (1 - BN_MOMENTUM) * mean.data[c]! + BN_MOMENTUM * batchMean[c]!;
    variance.data[c] = (1 - BN_MOMENTUM) * variance.data[c]! + BN_MOMENTUM * unbiased;
  }

  const normalized = new Float64Array(x.data.length);
  const deviation = batchVariance.map((v) => Math.sqrt(v + BN_EPSILON));
  const y = value(x.shape);
  eachOfChannel(x, (i, c) => {
    normalized[i] = (x.data[i]! - batchMean[c]!) / deviation[c]!;
    y.data[i] = gamma.data[c]! * normalized[i]! + beta.data[c]!;
  });

  tape.record(() => {
    const sum = new Float64Array(channels);
    const product = new Float64Array(channels);
    eachOfChannel(x, (i, c) => {
      sum[c]! += y.gradient[i]!;
      product[c]! += y.gradient[i]! * normalized[i]!;
    });
    for (let c = 0; c < channels; c++) {
      beta.gradient[c]! += sum[c]!;
      gamma.gradient[c]! += product[c]!;
    }
    eachOfChannel(x, (i, c) => {
      const centred = y.gradient[i]! - sum[c]! / m - (normalized[i]! * product[c]!) / m;
      x.gradient[i]! += (gamma.data[c]! / deviation[c]!) * centred;
    });
  });
  return y;
}

/** Calls `visit` with every index into [N, C, H, W] and its channel. */
function eachOfChannel(x: Value, visit: (index: number, channel: number) => void): void {
  const [n, channels, height, width] = mapShape(x);
  for (let image = 0; image < n; image++)
    for (let c = 0; c < channels; c++)
      for (let pixel = 0; pixel < height * width; pixel++) {
        visit((image * channels + c) * height * width + pixel, c);
      }
}
