import type { Experiment } from '../config/schema.js';
import type { Batch, Engine, Model } from '../engines/engine.js';
import { isFullGpu, SMALLER } from '../engines/full-memory.js';
import { randomBatch } from '../engines/noise.js';
import { initialValues } from '../networks/parameters.js';
import { initialState } from '../training/checkpoint.js';
import { checkMemory, leastMemory } from '../training/memory.js';
import { microBatchSize, modelOptions, networkOf } from '../training/model.js';
import type { Plan } from '../training/plan.js';
import { UserError } from '../util/errors.js';
import { peakMemory } from './instruments.js';
import { type StepMode, stepTimes } from './steps.js';

/** Images per second of a network on an engine, and the memory that it takes. */
export interface Speed {
  readonly train: number;
  readonly predict: number;
  /** Largest resident memory of training, in bytes, without the data; what lies on a GPU is not in it. */
  readonly memoryBytes: number;
}

/** Seconds that the trial batch should take: long enough to measure, short enough to wait for. */
const TRIAL_SECONDS = 2;

/** Images of the first batch, which shows how many the trial can have. */
const FIRST_IMAGES = 4;

/**
 * Measures how fast an engine trains and evaluates the network of an experiment, and the memory of it, with a few steps
 * on noise, which need no data. The batch is the experiment's, a micro-batch where its steps have several, or on a CPU
 * as much of it as takes about two seconds. Throws a UserError (engine) if it does not fit into memory.
 */
export async function measureSpeed(experiment: Experiment, engine: Engine): Promise<Speed> {
  const network = networkOf(experiment);
  checkMemory(experiment, network, { device: engine.device });
  const { seed } = experiment.training;
  const batchSize = microBatchSize(experiment);
  const empty = (await peakMemory(engine)) + leastMemory(network, 0, false);
  const model = await engine.createModel(network, modelOptions(experiment));
  try {
    await model.importState(initialState(network, initialValues(network, seed)));
    const first = randomBatch(network, Math.min(FIRST_IMAGES, batchSize), seed);
    const pace = await secondsPerImage(model, 'train', first);
    const little = await peakMemory(engine);
    const some = Math.max(first.labels.length, Math.floor(TRIAL_SECONDS / pace));
    // Only the whole batch shows whether it fits onto a GPU.
    const images = engine.device === 'gpu' ? batchSize : Math.min(batchSize, some);
    const more = images > first.labels.length ? randomBatch(network, images, seed) : undefined;
    const train = more ? await secondsPerImage(model, 'train', more) : pace;
    const predict = await secondsPerImage(model, 'predict', more ?? first);
    const peak = await peakMemory(engine);
    const perImage = more ? (peak - little) / (images - first.labels.length) : (peak - empty) / images;
    const memoryBytes = engine.device === 'gpu' ? peak : peak + (batchSize - images) * Math.max(0, perImage);
    return { train: 1 / train, predict: 1 / predict, memoryBytes };
  } catch (error) {
    if (!isFullGpu(error)) throw error;
    throw new UserError(
      'engine',
      `${network.title} does not fit into the memory of the GPU with ${batchSize} images at once`,
      SMALLER,
      { cause: error },
    );
  } finally {
    await model.dispose();
  }
}

/** Of the second step: the first prepares memory and kernels. */
async function secondsPerImage(model: Model, mode: StepMode, batch: Batch): Promise<number> {
  const [, second] = await stepTimes(model, mode, batch, 2);
  return second! / 1000 / batch.labels.length;
}

/** Seconds that so many epochs of training and evaluation take, alone on the engine. */
export function expectedSeconds(epochs: number, images: Plan['images'], { train, predict }: Speed): number {
  return epochs * (images.train / train + (images.validation + images.test) / predict);
}

/** Names what the speed depends on: experiments with the same key need only one measurement. */
export function speedKey(experiment: Experiment): string {
  const { input } = networkOf(experiment);
  const { memoryEfficient, precision, compile } = experiment.training;
  const batch = microBatchSize(experiment);
  return JSON.stringify([experiment.network, input, batch, memoryEfficient, precision, compile]);
}
