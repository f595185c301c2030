import type { Experiment } from '../config/schema.js';
import type { Dataset } from '../datasets/dataset.js';
import { dataFolder, fetchDataset, holdOut, loadDataset } from '../datasets/index.js';
import type { Split } from '../input/batches.js';
import type { Reporter } from '../util/reporter.js';
import type { Splits } from './trainer.js';

export interface DataOptions {
  /** `--data`. */
  readonly folder?: string;
  /** Use the first N images of each split only. */
  readonly subset?: number;
  /** Fetch what is missing; false refuses instead. */
  readonly setup: boolean;
  readonly reporter: Reporter;
  /** Stops a download. */
  readonly signal?: AbortSignal;
}

export interface ExperimentData {
  readonly dataset: Dataset;
  readonly splits: Splits;
}

/** Loads the experiment's dataset, fetching it where it is missing, and splits it as the config says. */
export async function loadExperimentData(
  experiment: Experiment,
  options: DataOptions,
): Promise<ExperimentData> {
  const { name, validation } = experiment.dataset;
  const folder = dataFolder(options.folder);
  const { setup, reporter, signal } = options;
  if (setup) await fetchDataset(name, { folder, reporter, signal });
  signal?.throwIfAborted();
  const dataset = await loadDataset(name, folder);
  const first = (indices: Uint32Array) => indices.subarray(0, options.subset);
  const parts = holdOut(dataset, validation, experiment.training.seed);
  const split = (indices: Uint32Array): Split => ({ set: dataset.train, indices: first(indices) });
  const everyTestImage = Uint32Array.from({ length: dataset.test.count }, (_, i) => i);
  return {
    dataset,
    splits: {
      train: split(parts.train),
      validation: validation > 0 ? split(parts.validation) : undefined,
      test: { set: dataset.test, indices: first(everyTestImage) },
      normalization: dataset.definition.normalization,
    },
  };
}
