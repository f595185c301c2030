import type { Model } from '../engines/engine.js';
import { batchCount, batches, type InputBatch, type Split } from '../input/batches.js';
import { CROPS } from '../input/ten-crop.js';
import { ALONE, type Group } from '../mpi/group.js';
import { UserError } from '../util/errors.js';
import { type Calibration, CalibrationCounter } from './calibration.js';
import { type ClassScores, ConfusionMatrix } from './confusion.js';
import { crossEntropy } from './softmax.js';

export interface Evaluation {
  readonly count: number;
  /** Mean cross-entropy. */
  readonly loss: number;
  /** Top-1 error in percent. */
  readonly error: number;
  /** Top-5 error in percent; undefined where the dataset has too few classes for it (`TOP5_CLASSES`). */
  readonly top5Error?: number;
  /** How well each class is recognised. */
  readonly classes: readonly ClassScores[];
  readonly confusion: ConfusionMatrix;
  readonly calibration: Calibration;
}

/** What the network says of one image. */
export interface Prediction {
  readonly index: number;
  readonly label: number;
  readonly predicted: number;
  /** [classes]; of ten crops the mean, which orders classes as the sum does. */
  readonly logits: Float32Array;
}

export interface EvaluationOptions {
  /** Images, or crops, that go through the network at once. */
  readonly batchSize: number;
  readonly classes: number;
  /** Judge each image by the sum of the logits of its ten crops, as the authors do. The source must have them. */
  readonly tenCrop?: boolean;
  readonly signal?: AbortSignal;
  /** The processes that evaluate the split together; all of them then return the same. */
  readonly group?: Group;
  /** Called after each batch with the number of images done. */
  readonly onProgress?: (images: number) => void;
  readonly onPrediction?: (prediction: Prediction) => void;
}

/** Index of the largest value; the first of equals. */
export function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** The top-5 error is counted for datasets of this many classes or more: of ten classes, five are too many. */
const TOP5_CLASSES = 20;

/**
 * How many classes stand before the label when the largest logit comes first, and the first of equals, as for
 * `argmax`: the label is among the top k if it is less than k. NaN stands before every number, and a label whose
 * logit is NaN last.
 */
export function rank(logits: Float32Array, label: number): number {
  const own = logits[label]!;
  if (Number.isNaN(own)) return logits.length;
  let before = 0;
  for (let k = 0; k < logits.length; k++) {
    const logit = logits[k]!;
    if (logit > own || (logit === own && k < label) || Number.isNaN(logit)) before++;
  }
  return before;
}

/** Mean of `views` rows of logits [views, classes]; the row itself for one. */
function meanLogits(rows: Float32Array, views: number): Float32Array {
  if (views === 1) return rows;
  return Float32Array.from({ length: rows.length / views }, (_, k) => {
    let sum = 0;
    for (let i = k; i < rows.length; i += rows.length / views) sum += rows[i]!;
    return sum / views;
  });
}

/**
 * What is counted of each image: class, loss, class that was predicted, with which confidence, and 1 if the right one
 * is not among the top 5.
 */
const COUNTED = 5;

/**
 * Runs the network over a split in evaluation mode, without augmentation. Throws the signal's reason if aborted, a
 * UserError (data) if no image can be read.
 */
export async function evaluate(model: Model, split: Split, options: EvaluationOptions): Promise<Evaluation> {
  const { tenCrop, group = ALONE } = options;
  const views = tenCrop ? CROPS : 1;
  const batchSize = Math.max(1, Math.floor(options.batchSize / views));
  const total = batchCount(split, batchSize);
  const [first, end] = [rangeBegin(total, group.rank, group), rangeBegin(total, group.rank + 1, group)];
  const onNext = (images: Float32Array) => model.handOver?.(images);
  const own = batches(split, { batchSize, tenCrop, first, end, onNext });
  const counted: number[] = [];
  try {
    // All processes make the same calls, though some have a batch less, or one that cannot be read.
    for (let round = 0; round < Math.ceil(total / group.size); round++) {
      options.signal?.throwIfAborted();
      const { value: batch } = await own.next();
      if (batch) for (const value of await judge(model, batch, views, options)) counted.push(value);
      await group.agree();
      const done = (group.size * counted.length) / COUNTED;
      options.onProgress?.(Math.min(done, split.indices.length));
    }
  } finally {
    await own.return();
  }
  const lengths = await group.agree(counted.length);
  return tally(await group.gather(Float64Array.from(counted), lengths), options.classes);
}

/** The first batch of a process, where each has a range of them. */
function rangeBegin(total: number, rank: number, { size }: Group): number {
  return Math.floor((total * rank) / size);
}

/** `COUNTED` numbers for each image of a batch. */
async function judge(
  model: Model,
  { images, labels, indices }: InputBatch,
  views: number,
  { classes, onPrediction }: EvaluationOptions,
): Promise<number[]> {
  const logits = await model.predict(images);
  return Array.from(labels).flatMap((label, n) => {
    const size = views * classes;
    const row = meanLogits(logits.subarray(n * size, (n + 1) * size), views);
    const predicted = argmax(row);
    onPrediction?.({ index: indices[n]!, label, predicted, logits: row });
    const confidence = Math.exp(-crossEntropy(row, predicted));
    return [label, crossEntropy(row, label), predicted, confidence, Number(rank(row, label) >= 5)];
  });
}

/** Counts images in the order of the split, whoever judged them. */
function tally(counted: Float64Array, classCount: number): Evaluation {
  const confusion = new ConfusionMatrix(classCount);
  const calibration = new CalibrationCounter();
  const count = counted.length / COUNTED;
  if (count === 0) {
    throw new UserError(
      'data',
      'not one image of the split can be read',
      'Check the data: densenet data verify',
    );
  }
  let loss = 0;
  let wrong = 0;
  let wrongTop5 = 0;
  for (let n = 0; n < counted.length; n += COUNTED) {
    const [label = 0, own = 0, predicted = 0, confidence = 0, behind = 0] = counted.subarray(n, n + COUNTED);
    confusion.add(label, predicted);
    calibration.add(confidence, predicted === label);
    loss += own;
    if (predicted !== label) wrong++;
    wrongTop5 += behind;
  }
  return {
    count,
    loss: loss / count,
    error: (100 * wrong) / count,
    top5Error: classCount >= TOP5_CLASSES ? (100 * wrongTop5) / count : undefined,
    classes: confusion.scores(),
    confusion,
    calibration: calibration.result(),
  };
}
