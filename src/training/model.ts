import type { Experiment } from '../config/schema.js';
import { definitionOf } from '../datasets/index.js';
import type { EngineOptions, ModelOptions } from '../engines/engine.js';
import { buildNetwork } from '../networks/build.js';
import type { Network } from '../networks/network.js';

/** The network of an experiment: its dataset gives the input shape and the classes. */
export function networkOf(experiment: Experiment): Network {
  const { image, classNames } = definitionOf(experiment.dataset);
  return buildNetwork(experiment.network, { ...image, classes: classNames.length });
}

/** How an experiment trains its model. */
export function modelOptions({ training }: Experiment): ModelOptions {
  const { momentum, nesterov, weightDecay, seed, memoryEfficient, precision } = training;
  return { optimizer: { momentum, nesterov, weightDecay }, seed, memoryEfficient, precision };
}

/** What an experiment asks of the engine that it is trained on. */
export function engineOptions(
  experiment: Experiment,
): Pick<EngineOptions, 'batchSize' | 'precision' | 'compile'> {
  const { precision, compile } = experiment.training;
  return { batchSize: microBatchSize(experiment), precision, compile };
}

/** Images that go through the network at once: those of a step, or of one of its micro-batches. */
export function microBatchSize({ training: { batchSize, accumulate } }: Experiment): number {
  return batchSize / accumulate;
}
