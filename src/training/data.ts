import type { Experiment } from '../config/schema.js';
import { type Dataset, FOLDER } from '../datasets/dataset.js';
import { folderChoice } from '../datasets/folder/definition.js';
import { dataFolder, fetchDataset, holdOut, loadDataset } from '../datasets/index.js';
import type { ImageSource, Split, Splits } from '../input/batches.js';
import { openSources } from '../input/sources.js';
import type { Reporter } from '../util/reporter.js';

export interface DataOptions {
  /** `--data`. */
  readonly folder?: string;
  /** Use the first N images of each split only. */
  readonly subset?: number;
  /** Threads that decode images; one per core when undefined. */
  readonly workers?: number;
  /** Leave out images that cannot be read, instead of stopping. */
  readonly skipBadImages?: boolean;
  /** Fetch what is missing; false refuses instead. */
  readonly setup: boolean;
  readonly reporter: Reporter;
  /** Stops a download. */
  readonly signal?: AbortSignal;
}

export interface ExperimentData {
  readonly dataset: Dataset;
  readonly splits: Splits;
  /** The images that could not be read and were left out so far. */
  skippedImages(): readonly string[];
  /** Ends the threads that decode images. */
  close(): Promise<void>;
}

/** Loads the experiment's dataset, fetching it where it is missing, and splits it as the config says. */
export async function loadExperimentData(
  experiment: Experiment,
  options: DataOptions,
): Promise<ExperimentData> {
  const { validation, augmentation, resize } = experiment.dataset;
  const { seed } = experiment.training;
  const { reporter } = options;
  const dataset = await openDataset(experiment.dataset, options);
  if (dataset.note) reporter.line(dataset.note);
  const parts = holdOut(dataset, validation, seed);
  const { train, test, ...sources } = await openSources(dataset, {
    augmentation,
    seed,
    resize,
    workers: options.workers,
    skipBadImages: options.skipBadImages ?? false,
    reporter,
  });
  const split = (source: ImageSource, indices: Uint32Array): Split => ({
    source,
    indices: indices.subarray(0, options.subset),
  });
  const everyTestImage = Uint32Array.from({ length: test.count }, (_, i) => i);
  return {
    ...sources,
    dataset,
    splits: {
      train: split(train, parts.train),
      validation: validation > 0 ? split(train, parts.validation) : undefined,
      test: split(test, everyTestImage),
    },
  };
}

async function openDataset(dataset: Experiment['dataset'], options: DataOptions): Promise<Dataset> {
  const folder = dataFolder(options.folder);
  const { setup, reporter, signal } = options;
  if (dataset.name === FOLDER) {
    const { openFolder } = await import('../input/folder/open.js');
    return openFolder(folderChoice(dataset), { ...options, dataFolder: folder });
  }
  if (setup) await fetchDataset(dataset.name, { folder, reporter, signal });
  signal?.throwIfAborted();
  return loadDataset(dataset.name, folder);
}
