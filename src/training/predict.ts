import type { Experiment } from '../config/schema.js';
import { definitionOf } from '../datasets/index.js';
import { singleImage } from '../input/images/single-image.js';
import { UserError } from '../util/errors.js';
import { readSmallFile } from '../util/read-files.js';
import { initialState, loadWeights } from './checkpoint.js';
import { networkOf } from './model.js';
import { type ModelOpenOptions, withModel } from './open.js';
import { softmax } from './softmax.js';
import { type Trained, warnIfUntrained } from './trained.js';

/** Bytes of an image file. */
const MOST_BYTES = 256 * 2 ** 20;

/** Images that go through the network at once: few enough for photographs. */
const AT_ONCE = 16;

export interface PredictOptions extends ModelOpenOptions {
  /** How many classes to name. */
  readonly top: number;
  /** Leave out images that cannot be read, instead of stopping. */
  readonly skipBadImages?: boolean;
}

export interface ImagePrediction {
  readonly file: string;
  /** The likeliest first. */
  readonly classes: readonly ClassProbability[];
}

export interface ClassProbability {
  readonly name: string;
  /** By softmax of the logits: 0 to 1. */
  readonly probability: number;
}

export interface ImagePredictions {
  readonly network: string;
  /** What the weights are the outcome of; undefined for files that do not say. */
  readonly trained: Trained | undefined;
  readonly images: readonly ImagePrediction[];
  /** The files that could not be read and were left out. */
  readonly skippedImages: readonly string[];
}

/**
 * What a network with these weights says of image files. Throws a UserError (data) for a file that is not an image,
 * unless such files are left out.
 */
export async function predictImages(
  experiment: Experiment,
  weightsFile: string,
  files: readonly string[],
  options: PredictOptions,
): Promise<ImagePredictions> {
  const { reporter, signal, top } = options;
  const network = networkOf(experiment);
  const { weights, trained } = await loadWeights(weightsFile, network);
  warnIfUntrained(reporter, weightsFile, trained);
  const { classNames } = definitionOf(experiment.dataset);
  const images: ImagePrediction[] = [];
  const skippedImages: string[] = [];
  await withModel(experiment, network, options, async ({ model }) => {
    await model.importState(initialState(network, weights));
    const bar = reporter.bar('predict', files.length, 'images');
    try {
      for (let first = 0; first < files.length; first += AT_ONCE) {
        signal?.throwIfAborted();
        const read = await readImages(
          files.slice(first, first + AT_ONCE),
          experiment,
          options,
          skippedImages,
        );
        if (read.length === 0) continue;
        const logits = await model.predict(concatenated(read.map(({ input }) => input)));
        read.forEach(({ file }, n) => {
          const own = logits.subarray(n * classNames.length, (n + 1) * classNames.length);
          images.push({ file, classes: likeliest(own, classNames, top) });
        });
        bar.update(Math.min(first + AT_ONCE, files.length));
      }
    } finally {
      bar.finish();
    }
  });
  return { network: network.title, trained, images, skippedImages };
}

async function readImages(
  files: readonly string[],
  experiment: Experiment,
  { skipBadImages, reporter }: PredictOptions,
  skipped: string[],
): Promise<{ file: string; input: Float32Array }[]> {
  const { image, photographs = false, normalization } = definitionOf(experiment.dataset);
  const { resize = 'paper' } = experiment.dataset;
  const shape = { channels: image.channels, side: image.height, photographs, resize, normalization };
  const read: { file: string; input: Float32Array }[] = [];
  for (const file of files) {
    try {
      read.push({ file, input: await singleImage(await readSmallFile(file, MOST_BYTES), shape) });
    } catch (error) {
      const problem = `cannot read the image ${file}: ${(error as Error).message}`;
      if (!skipBadImages) {
        throw new UserError('data', problem, 'Give images, or leave out what is none: --skip-bad-images', {
          cause: error,
        });
      }
      reporter.warn(problem);
      skipped.push(file);
    }
  }
  return read;
}

function concatenated(parts: readonly Float32Array[]): Float32Array {
  const size = parts[0]!.length;
  const whole = new Float32Array(parts.length * size);
  parts.forEach((part, n) => {
    whole.set(part, n * size);
  });
  return whole;
}

/** The `top` likeliest classes; of equal logits the lower class first. */
function likeliest(logits: Float32Array, names: readonly string[], top: number): ClassProbability[] {
  const probabilities = softmax(logits);
  return names
    .map((name, c) => ({ name, probability: probabilities[c]! }))
    .toSorted((a, b) => b.probability - a.probability)
    .slice(0, top);
}
