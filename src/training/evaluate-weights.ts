import type { Experiment } from '../config/schema.js';
import { definitionOf, definitions } from '../datasets/index.js';
import { checkEngine } from '../engines/select.js';
import { UserError } from '../util/errors.js';
import { initialState, loadWeights } from './checkpoint.js';
import { type Evaluation, evaluate, type Prediction } from './evaluate.js';
import { type Mistake, SurestMistakes } from './mistakes.js';
import { engineOptions, microBatchSize, networkOf } from './model.js';
import { type OpenOptions, withExperiment } from './open.js';
import { type Trained, warnIfUntrained } from './trained.js';

export const SPLITS = ['test', 'validation', 'train'] as const;
export type SplitName = (typeof SPLITS)[number];

export interface EvaluateWeightsOptions extends OpenOptions {
  readonly split: SplitName;
  /** Ten crops of each image (paper, Table 3). */
  readonly tenCrop?: boolean;
  readonly onPrediction?: (prediction: Prediction) => void;
  /** How many of the most confident mistakes to show; none when undefined. */
  readonly mistakes?: number | undefined;
}

export interface WeightsEvaluation extends Evaluation {
  readonly network: string;
  readonly classNames: readonly string[];
  /** What the weights are the outcome of; undefined for files that do not say. */
  readonly trained: Trained | undefined;
  /** For people: what computed it. */
  readonly engine: string;
  /** The most confident first, as many as were asked for. */
  readonly mistakes: readonly Mistake[];
  /** Digest of the dataset. */
  readonly digest: string;
  /** The images that could not be read and were left out. */
  readonly skippedImages: readonly string[];
}

/**
 * Evaluates a weights file on one split of an experiment's dataset, without augmentation or dropout. Throws a
 * UserError (usage) where ten crops make no sense.
 */
export async function evaluateWeights(
  experiment: Experiment,
  file: string,
  options: EvaluateWeightsOptions,
): Promise<WeightsEvaluation> {
  if (options.tenCrop) checkTenCrop(experiment);
  const network = networkOf(experiment);
  const { weights, trained } = await loadWeights(file, network);
  warnIfUntrained(options.reporter, file, trained);
  await checkEngine(options.choice, { ...options, ...engineOptions(experiment) }, network);
  return withExperiment(experiment, network, options, async (open) => {
    const { dataset, splits, model, engine } = open;
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
    const mistakes = new SurestMistakes(options.mistakes ?? 0);
    const bar = options.reporter.bar(options.split, split.indices.length, 'images');
    const evaluation = await evaluate(model, split, {
      batchSize,
      classes: network.classes,
      tenCrop: options.tenCrop,
      signal: options.signal,
      onProgress: (images) => bar.update(images),
      onPrediction: (prediction) => {
        mistakes.add(prediction);
        options.onPrediction?.(prediction);
      },
    }).finally(() => bar.finish());
    if (!Number.isFinite(evaluation.loss)) {
      throw new UserError(
        'data',
        `${file}: the network's outputs are not finite numbers with these weights`,
        'Use other weights: these are damaged, or of a run that diverged.',
      );
    }
    return {
      ...evaluation,
      network: network.title,
      classNames: dataset.definition.classNames,
      trained,
      engine: engine.description,
      mistakes: await mistakes.pictures(options.split === 'test' ? dataset.test : dataset.train),
      digest: dataset.digest,
      skippedImages: open.skippedImages(),
    };
  });
}

function checkTenCrop(experiment: Experiment): void {
  const { photographs, title } = definitionOf(experiment.dataset);
  if (photographs) return;
  const able = definitions.filter((one) => one.photographs).map(({ name }) => name);
  throw new UserError(
    'usage',
    `${title} has no ten crops: its images are as large as the network's input`,
    `Leave out --ten-crop${able.length > 0 ? `, which is for ${able.join(', ')}` : ''}.`,
  );
}
