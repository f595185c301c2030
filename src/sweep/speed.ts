import { type StepMode, stepTimes } from '../bench/steps.js';
import type { Experiment } from '../config/schema.js';
import type { Batch, Engine, Model } from '../engines/engine.js';
import { initialValues } from '../networks/parameters.js';
import { randomBatch } from '../selftest/inputs.js';
import { initialState } from '../training/checkpoint.js';
import { checkMemory } from '../training/memory.js';
import { microBatchSize, modelOptions, networkOf } from '../training/model.js';

/** Images per second of a network on an engine. */
export interface Speed {
  readonly train: number;
  readonly predict: number;
}

/** Seconds that the trial batch should take: long enough to measure, short enough to wait for. */
const TRIAL_SECONDS = 2;

/** Images of the first batch, which shows how many the trial can have. */
const FIRST_IMAGES = 4;

/**
 * Measures how fast an engine trains and evaluates the network of an experiment, with a few steps on noise, which
 * need no data. The batch is the experiment's, a micro-batch where its steps have several, or as much of it as takes
 * about two seconds.
 */
export async function measureSpeed(experiment: Experiment, engine: Engine): Promise<Speed> {
  const network = networkOf(experiment);
  checkMemory(experiment, network, { device: engine.device });
  const { seed } = experiment.training;
  const batchSize = microBatchSize(experiment);
  const model = await engine.createModel(network, modelOptions(experiment));
  try {
    await model.importState(initialState(network, initialValues(network, seed)));
    const first = randomBatch(network, Math.min(FIRST_IMAGES, batchSize), seed);
    const pace = await secondsPerImage(model, 'train', first);
    const images = Math.min(batchSize, Math.max(first.labels.length, Math.floor(TRIAL_SECONDS / pace)));
    const more = images > first.labels.length ? randomBatch(network, images, seed) : undefined;
    const train = more ? await secondsPerImage(model, 'train', more) : pace;
    const predict = await secondsPerImage(model, 'predict', more ?? first);
    return { train: 1 / train, predict: 1 / predict };
  } finally {
    await model.dispose();
  }
}

/** Of the second step: the first prepares memory and kernels. */
async function secondsPerImage(model: Model, mode: StepMode, batch: Batch): Promise<number> {
  const [, second] = await stepTimes(model, mode, batch, 2);
  return second! / 1000 / batch.labels.length;
}

/** Names what the speed depends on: experiments with the same key need only one measurement. */
export function speedKey(experiment: Experiment): string {
  const { input } = networkOf(experiment);
  const { memoryEfficient, precision, compile } = experiment.training;
  const batch = microBatchSize(experiment);
  return JSON.stringify([experiment.network, input, batch, memoryEfficient, precision, compile]);
}
