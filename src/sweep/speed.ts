import type { Experiment } from '../config/schema.js';
import type { Batch, Engine, Model } from '../engines/engine.js';
import type { Network } from '../networks/network.js';
import { initialValues } from '../networks/parameters.js';
import { initialState } from '../training/checkpoint.js';
import { microBatchSize, modelOptions, networkOf } from '../training/model.js';
import { key, normal, PURPOSE } from '../util/random.js';

/** Images a second of a network on an engine. */
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
  const { seed } = experiment.training;
  const batchSize = microBatchSize(experiment);
  const model = await engine.createModel(network, modelOptions(experiment));
  try {
    await model.importState(initialState(network, initialValues(network, seed)));
    const first = Math.min(FIRST_IMAGES, batchSize);
    const pace = await trainingPace(model, network, first);
    const images = Math.min(batchSize, Math.max(first, Math.floor(TRIAL_SECONDS / pace)));
    const train = images > first ? await trainingPace(model, network, images) : pace;
    const { images: pixels } = noise(network, images);
    await model.predict(pixels);
    const predict = (await seconds(() => model.predict(pixels))) / images;
    return { train: 1 / train, predict: 1 / predict };
  } finally {
    await model.dispose();
  }
}

/** Seconds an image of the second step with this many images: the first prepares memory and kernels. */
async function trainingPace(model: Model, network: Network, images: number): Promise<number> {
  const batch = noise(network, images);
  await model.train(batch, { learningRate: 1e-3, step: 0 });
  return (await seconds(() => model.train(batch, { learningRate: 1e-3, step: 1 }))) / images;
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

function noise({ input, classes }: Network, count: number): Batch {
  const k = key(0, PURPOSE.initialValue);
  const size = count * input.channels * input.height * input.width;
  return {
    images: Float32Array.from({ length: size }, (_, i) => normal(k, i)),
    labels: Int32Array.from({ length: count }, (_, i) => i % classes),
  };
}

/** Names what the speed depends on: experiments with the same key need only one measurement. */
export function speedKey(experiment: Experiment): string {
  const { input } = networkOf(experiment);
  const { memoryEfficient, precision } = experiment.training;
  return JSON.stringify([experiment.network, input, microBatchSize(experiment), memoryEfficient, precision]);
}
