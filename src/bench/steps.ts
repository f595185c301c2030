import type { Batch, Engine, Model, ModelOptions, ProfileEntry } from '../engines/engine.js';
import { randomBatch } from '../engines/noise.js';
import type { Network } from '../networks/network.js';
import { initialValues } from '../networks/parameters.js';
import { initialState } from '../training/checkpoint.js';
import { peakMemory, takeProfile } from './instruments.js';

export interface StepTimes {
  /** Of every step, in milliseconds, after the warm-up. */
  readonly times: readonly number[];
  readonly peakMemoryBytes: number;
  /** Of the measured steps, if asked for. */
  readonly profile: readonly ProfileEntry[] | undefined;
}

export type StepMode = 'train' | 'predict';

export interface StepOptions {
  readonly mode: StepMode;
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
    const batch = randomBatch(network, options.batch, SEED);
    await stepTimes(model, options.mode, batch, options.warmup);
    if (options.profile) takeProfile(model);
    const times = await stepTimes(model, options.mode, batch, options.steps);
    const profile = options.profile ? takeProfile(model) : undefined;
    return { times, peakMemoryBytes: await peakMemory(engine), profile };
  } finally {
    await model.dispose();
  }
}

/** Milliseconds of each of `count` steps of a model with the same batch, one after another. */
export async function stepTimes(
  model: Model,
  mode: StepMode,
  batch: Batch,
  count: number,
): Promise<number[]> {
  const times: number[] = [];
  for (let step = 0; step < count; step++) {
    const start = performance.now();
    const result =
      mode === 'train'
        ? model.train(batch, { learningRate: LEARNING_RATE, step })
        : model.predict(batch.images);
    // As in training, the next batch goes ahead while a step runs.
    if (step + 1 < count) model.handOver?.(batch.images);
    await result;
    times.push(performance.now() - start);
  }
  return times;
}
