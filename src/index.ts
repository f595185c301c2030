/** The programmatic API: what the command line itself calls, with its defaults. See docs/api.md. */
import type { Experiment } from './config/schema.js';
import { chooseEngine, type EngineRequest } from './engines/select.js';
import { ALONE } from './mpi/group.js';
import type { RunResult } from './runs/result.js';
import { withContents } from './training/contents.js';
import {
  type EvaluateWeightsOptions,
  evaluateWeights,
  type WeightsEvaluation,
} from './training/evaluate-weights.js';
import type { InitOptions } from './training/initial-weights.js';
import type { OpenOptions } from './training/open.js';
import { startRun } from './training/start.js';
import { silent } from './util/reporter.js';

export { type LoadOptions, loadExperiment } from './config/load.js';
export { type Description, describe } from './training/describe.js';
export { UserError } from './util/errors.js';
export type { ProgressBar, Reporter } from './util/reporter.js';
export type { Experiment, InitOptions, RunResult, WeightsEvaluation };

/** What computes and where the images are; each as the option of the command line, with the same default. */
export type ComputeOptions = Partial<EngineRequest> & Partial<Omit<OpenOptions, 'choice' | 'group'>>;

export interface TrainOptions extends ComputeOptions {
  /** Folder of results; `results` in the working directory by default. */
  readonly results?: string;
  /** Weights to begin with, instead of random ones. */
  readonly init?: InitOptions;
}

export interface TrainedRun {
  /** The run's folder: config, environment, epochs, checkpoints, result. */
  readonly folder: string;
  /** The weights after the last epoch, as safetensors. */
  readonly weights: string;
  readonly result: RunResult;
}

export type EvaluateOptions = ComputeOptions &
  Partial<Pick<EvaluateWeightsOptions, 'split' | 'tenCrop' | 'onPrediction'>>;

/**
 * Trains an experiment in a new run folder. Aborting `signal` saves and stops: the result is `interrupted` then, and
 * `densenet train --resume` continues it. Throws a UserError for what the command line answers with two lines.
 */
export async function train(experiment: Experiment, options: TrainOptions = {}): Promise<TrainedRun> {
  const { results = 'results', init, signal = new AbortController().signal } = options;
  const computing = await complete(options);
  const { folder, result } = await startRun(await withContents(experiment, computing), {
    ...computing,
    signal,
    group: ALONE,
    init,
    resultsFolder: results,
  });
  return { folder: folder.path, weights: folder.checkpoint('last'), result };
}

/**
 * Evaluates a weights file (.safetensors or .npz) on a split of the experiment's dataset, the test images by default.
 * Errors are in percent. Throws a UserError.
 */
export async function evaluate(
  experiment: Experiment,
  weights: string,
  options: EvaluateOptions = {},
): Promise<WeightsEvaluation> {
  const { split = 'test', tenCrop, onPrediction } = options;
  const computing = await complete(options);
  const whole = await withContents(experiment, computing);
  return evaluateWeights(whole, weights, { ...computing, split, tenCrop, onPrediction });
}

async function complete(options: ComputeOptions): Promise<OpenOptions> {
  const { engine = 'auto', device = 'auto', gpu, setup = true, reporter = silent, ...given } = options;
  return { ...given, setup, reporter, choice: await chooseEngine({ engine, device, gpu }) };
}
