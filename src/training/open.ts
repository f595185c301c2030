import type { Experiment } from '../config/schema.js';
import { definition } from '../datasets/index.js';
import type { Engine, Model, ModelOptions } from '../engines/engine.js';
import { createEngine, type EngineChoice } from '../engines/select.js';
import { buildNetwork } from '../networks/build.js';
import type { Network } from '../networks/network.js';
import { type DataOptions, type ExperimentData, loadExperimentData } from './data.js';

export interface OpenOptions extends DataOptions {
  readonly choice: EngineChoice;
  /** CPU threads; all cores when undefined. */
  readonly threads?: number;
}

export interface OpenExperiment extends ExperimentData {
  readonly engine: Engine;
  readonly model: Model;
}

/** The network of an experiment: its dataset gives the input shape and the classes. */
export function networkOf(experiment: Experiment): Network {
  const { image, classNames } = definition(experiment.dataset.name);
  return buildNetwork(experiment.network, { ...image, classes: classNames.length });
}

/** How an experiment trains its model. */
export function modelOptions({ training }: Experiment): ModelOptions {
  const { momentum, nesterov, weightDecay, seed, memoryEfficient, precision } = training;
  return { optimizer: { momentum, nesterov, weightDecay }, seed, memoryEfficient, precision };
}

/** Images that go through the network at once: those of a step, or of one of its micro-batches. */
export function microBatchSize({ training: { batchSize, accumulate } }: Experiment): number {
  return batchSize / accumulate;
}

/** Loads the data, makes the model on the engine, lets `use` work with both, and closes them again. */
export async function withExperiment<T>(
  experiment: Experiment,
  network: Network,
  options: OpenOptions,
  use: (open: OpenExperiment) => Promise<T>,
): Promise<T> {
  const data = await loadExperimentData(experiment, options);
  try {
    const batchSize = microBatchSize(experiment);
    const engine = await createEngine(options.choice, { ...options, batchSize });
    try {
      const model = await engine.createModel(network, modelOptions(experiment));
      try {
        return await use({ ...data, engine, model });
      } finally {
        await model.dispose();
      }
    } finally {
      await engine.dispose();
    }
  } finally {
    await data.close();
  }
}
