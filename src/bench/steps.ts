import type { Batch, Engine, ModelOptions } from '../engines/engine.js';
import type { Network } from '../networks/network.js';
import { initialValues } from '../networks/parameters.js';
import { initialState } from '../training/checkpoint.js';
import { key, normal, uniform } from '../util/random.js';
import { peakMemory, takeProfile } from './instruments.js';

export interface StepTimes {
  /** Of every step, in milliseconds, after the warm-up. */
  readonly times: readonly number[];
  readonly peakMemoryBytes: number;
  /** Of the measured steps, if asked for. */
  readonly profile: Awaited<ReturnType<typeof takeProfile>> | undefined;
}

export interface StepOptions {
  readonly mode: 'train' | 'predict';
  readonly batch: number;
  readonly steps: number;
  /** Steps before the measured ones: buffers are allocated, caches filled. */
  readonly warmup: number;
  readonly profile: boolean;
  readonly memoryEfficient: boolean;
  readonly precision: ModelOptions['precision'];
}

/** The paper's optimiser (section 4.2). */
const OPTIMIZER = { momentum: 0.9, nesterov: true, weightDecay: 1e-4 };
const LEARNING_RATE = 0.1;
const SEED = 1;

/** Times whole steps of a network on random data, one after another. */
export async function timeSteps(engine: Engine, network: Network, options: StepOptions): Promise<StepTimes> {
  const { memoryEfficient, precision } = options;
  const model = await engine.createModel(network, {
    optimizer: OPTIMIZER,
    seed: SEED,
    memoryEfficient,
    precision,
  });
  try {
    await model.importState(initialState(network, initialValues(network, SEED)));
    const batch = randomBatch(network, options.batch);
    const run = (step: number) =>
      options.mode === 'train'
        ? model.train(batch, { learningRate: LEARNING_RATE, step })
        : model.predict(batch.images);
    for (let step = 0; step < options.warmup; step++) await run(step);
    if (options.profile) await takeProfile(model);
    const times: number[] = [];
    for (let step = 0; step < options.steps; step++) {
      const start = performance.now();
      await run(options.warmup + step);
      times.push(performance.now() - start);
    }
    const profile = options.profile ? await takeProfile(model) : undefined;
    return { times, peakMemoryBytes: await peakMemory(engine), profile };
  } finally {
    await model.dispose();
  }
}

/** Normally distributed images and uniform labels. */
function randomBatch(network: Network, size: number): Batch {
  const { channels, height, width } = network.input;
  const images = key(SEED, 1);
  const labels = key(SEED, 2);
  return {
    images: Float32Array.from({ length: size * channels * height * width }, (_, i) => normal(images, i)),
    labels: Int32Array.from({ length: size }, (_, i) => Math.floor(uniform(labels, i) * network.classes)),
  };
}
