import type { Experiment } from '../config/schema.js';
import type { Group } from '../mpi/group.js';
import { initialValues } from '../networks/parameters.js';
import {
  captureEnvironment,
  type Environment,
  type InitialWeights,
  type RunEnvironment,
} from '../runs/environment.js';
import { createRunFolder } from '../runs/folders.js';
import type { RunResult } from '../runs/result.js';
import type { RunFolder } from '../runs/run-folder.js';
import { checkTraining } from './check.js';
import { initialState, NO_PROGRESS, type Origin } from './checkpoint.js';
import { announce } from './follow.js';
import { type InitOptions, loadInitialWeights } from './initial-weights.js';
import { networkOf } from './model.js';
import { type OpenExperiment, type RunOptions, withExperiment } from './open.js';
import { train } from './session.js';

export interface StartOptions extends RunOptions {
  readonly resultsFolder: string;
  /** Weights to begin with, instead of random ones. */
  readonly init?: InitOptions;
}

export interface Finished {
  readonly folder: RunFolder;
  readonly experiment: Experiment;
  readonly result: RunResult;
  /** That the dataset on disk is not all of the published data. */
  readonly note: string | undefined;
}

/** Trains an experiment from its beginning, in a new run folder. */
export async function startRun(experiment: Experiment, options: StartOptions): Promise<Finished> {
  const network = networkOf(experiment);
  const { subset, choice, group } = options;
  await checkTraining(experiment, network, { ...options, processes: group.size });
  const { seed } = experiment.training;
  const init = options.init && (await loadInitialWeights(options.init, network, seed));
  const state = initialState(network, init?.weights ?? initialValues(network, seed));
  await announce(group, network, state, { experiment, progress: NO_PROGRESS, subset, choice });
  return withExperiment(experiment, network, options, async (open) => {
    const session = await environmentOf(open, group);
    const environment: RunEnvironment = { ...session, init: init?.record, resumed: [] };
    const folder = await createRunFolder(options.resultsFolder, experiment.name, environment, seed);
    if (init) options.reporter.line(initLine(init.record));
    const start = { state, progress: NO_PROGRESS };
    const { engine, dataset } = session;
    const origin: Origin = { subset, init: init?.record, engine, dataset };
    const task = { ...options, ...open, experiment, network, folder, start, resumed: false, origin };
    const result = await train(task);
    return { folder, experiment, result, note: open.dataset.note };
  });
}

function initLine({ file, skipped }: InitialWeights): string {
  const but =
    skipped.length > 0 ? `, but for ${skipped.length} parameters with the usual initial values` : '';
  return `Initial weights: ${file}${but}`;
}

/** For environment.json. */
export function environmentOf({ engine, dataset }: OpenExperiment, { hosts }: Group): Promise<Environment> {
  const { definition, digest, variant, note } = dataset;
  return captureEnvironment(engine, { name: definition.name, digest, variant, note }, hosts);
}
