import type { Experiment } from '../config/schema.js';
import type { ModelState } from '../engines/engine.js';
import { UserError } from '../util/errors.js';
import { initialState, loadWeights } from './checkpoint.js';
import { type Evaluation, evaluate, type Prediction } from './evaluate.js';
import { microBatchSize, networkOf, type OpenOptions, withExperiment } from './open.js';

export const SPLITS = ['test', 'validation', 'train'] as const;
export type SplitName = (typeof SPLITS)[number];

export interface EvaluateWeightsOptions extends OpenOptions {
  readonly split: SplitName;
  readonly onPrediction?: (prediction: Prediction) => void;
}

export interface WeightsEvaluation extends Evaluation {
  readonly network: string;
  readonly classNames: readonly string[];
}

/** Evaluates a weights file on one split of an experiment's dataset, without augmentation or dropout. */
export async function evaluateWeights(
  experiment: Experiment,
  file: string,
  options: EvaluateWeightsOptions,
): Promise<WeightsEvaluation> {
  const network = networkOf(experiment);
  const weights: ModelState['weights'] = await loadWeights(file, network);
  return withExperiment(experiment, network, options, async ({ dataset, splits, model }) => {
    const split = splits[options.split];
    if (!split) {
      throw new UserError(
        'usage',
        `${experiment.name} holds no images out for validation`,
        'Use --split test or train, or set dataset.validation in the config.',
      );
    }
    await model.importState(initialState(network, weights));
    const batchSize = microBatchSize(experiment);
    const bar = options.reporter.bar(options.split, split.indices.length, 'images');
    const evaluation = await evaluate(model, split, {
      batchSize,
      classes: network.classes,
      onProgress: (images) => bar.update(images),
      onPrediction: options.onPrediction,
    }).finally(() => bar.finish());
    if (!Number.isFinite(evaluation.loss)) {
      throw new UserError(
        'data',
        `${file}: the network's outputs are not finite numbers with these weights`,
        'Use other weights: these are damaged, or of a run that diverged.',
      );
    }
    return { ...evaluation, network: network.title, classNames: dataset.definition.classNames };
  });
}
