import type { Experiment } from '../config/schema.js';
import type { Engine, Model } from '../engines/engine.js';
import { createEngine, type EngineChoice } from '../engines/select.js';
import { ALONE, type Group } from '../mpi/group.js';
import type { Network } from '../networks/network.js';
import type { Claim } from '../runs/claim.js';
import type { Transcript } from '../util/transcript.js';
import { type DataOptions, type ExperimentData, loadExperimentData } from './data.js';
import { checkSameData } from './divide.js';
import type { Limits } from './limits.js';
import { engineOptions, modelOptions } from './model.js';

export interface ModelOpenOptions extends Pick<DataOptions, 'setup' | 'reporter' | 'signal'> {
  readonly choice: EngineChoice;
  /** CPU threads; all cores when undefined. */
  readonly threads?: number;
  /** The processes that work together; this one alone when undefined. */
  readonly group?: Group;
}

export interface RunOptions extends OpenOptions {
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Of this session. */
  readonly limits?: Limits | undefined;
  /** On the run, or on its beginning. */
  readonly claim?: Claim | undefined;
  readonly group: Group;
  /** What `reporter` has said so far, for the run's log; what is said from here on, when undefined. */
  readonly transcript?: Transcript | undefined;
  /** Log the loss every N steps. */
  readonly logEvery?: number | undefined;
}

export interface OpenOptions extends DataOptions, ModelOpenOptions {}

export interface OpenModel {
  readonly engine: Engine;
  readonly model: Model;
}

export interface OpenExperiment extends ExperimentData, OpenModel {}

/** Loads the data, makes the model on the engine, lets `use` work with both, and closes them again. */
export async function withExperiment<T>(
  experiment: Experiment,
  network: Network,
  options: OpenOptions,
  use: (open: OpenExperiment) => Promise<T>,
): Promise<T> {
  const data = await loadExperimentData(experiment, options);
  try {
    await checkSameData(options.group ?? ALONE, data.dataset.digest);
    return await withModel(experiment, network, options, (open) => use({ ...data, ...open }));
  } finally {
    await data.close();
  }
}

/** Makes the model on the engine, lets `use` work with it, and disposes of both. */
export async function withModel<T>(
  experiment: Experiment,
  network: Network,
  options: ModelOpenOptions,
  use: (open: OpenModel) => Promise<T>,
): Promise<T> {
  const start = () => createEngine(options.choice, { ...options, ...engineOptions(experiment) });
  const engine = await (options.group ?? ALONE).firstOnHost(start);
  try {
    const model = await engine.createModel(network, modelOptions(experiment));
    try {
      return await use({ engine, model });
    } finally {
      await model.dispose();
    }
  } finally {
    await engine.dispose();
  }
}
