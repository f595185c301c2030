import { basename } from 'node:path';
import { repetitionKey } from '../config/identity.js';
import type { Experiment } from '../config/schema.js';
import type { FinishedRun } from '../runs/finished-runs.js';
import { datasetLabel, methodName } from './labels.js';

/** An error in percent, over seeds. */
export interface Spread {
  /** Seeds. */
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation; undefined for one seed. */
  readonly sd: number | undefined;
}

/** What one experiment came to, over its seeds: the spread is of the test errors that the runs report. */
export interface Measurement extends Spread {
  /** Names of the runs behind it, one for each seed, where they are on disk. */
  readonly runs: readonly string[];
  readonly experiment: Experiment;
  /** As in Table 2: `DenseNet-BC (k=12)`. */
  readonly method: string;
  /** `C10+`; with remarks if the run does not belong in a column of Table 2. */
  readonly dataset: string;
  readonly parameters: number;
  /** Top-5 errors, of the runs that counted them; undefined for none. */
  readonly top5: Spread | undefined;
  /** The same of ten crops, of the runs that were evaluated so. */
  readonly tenCrop: Spread | undefined;
  readonly tenCropTop5: Spread | undefined;
}

/**
 * Runs count as one experiment if they are repetitions on the same data. Repeating a seed repeats the result, so the
 * newest run of a seed stands for it. In order of the runs' names.
 */
export function measurements(runs: readonly FinishedRun[]): Measurement[] {
  const groups = new Map<string, Map<number, FinishedRun>>();
  for (const run of [...runs].sort(byTime)) {
    const { seed } = run.experiment.training;
    const key = `${repetitionKey(run.experiment)} ${datasetLabel(run)}`;
    const group = groups.get(key) ?? new Map<number, FinishedRun>();
    groups.set(key, group.set(seed, run));
  }
  return [...groups.values()]
    .map((group) => [...group.values()].sort((a, b) => compare(a.name, b.name)))
    .sort(([a], [b]) => compare(a!.name, b!.name))
    .map(measurementOf);
}

/** Run folders are named by time. */
function byTime(a: FinishedRun, b: FinishedRun): number {
  return compare(basename(a.name), basename(b.name));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function measurementOf(runs: readonly FinishedRun[]): Measurement {
  const first = runs[0]!;
  return {
    runs: runs.map(({ name }) => name),
    experiment: first.experiment,
    method: methodName(first.experiment.network),
    dataset: datasetLabel(first),
    parameters: first.parameters,
    ...spread(runs.map((run) => run.testError))!,
    top5: spread(runs.map((run) => run.top5Error)),
    tenCrop: spread(runs.map((run) => run.tenCrop?.error)),
    tenCropTop5: spread(runs.map((run) => run.tenCrop?.top5Error)),
  };
}

/** Of the errors that are there; undefined if none is. */
export function spread(all: readonly (number | undefined)[]): Spread | undefined {
  const errors = all.filter((error) => error !== undefined);
  if (errors.length === 0) return undefined;
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  const squares = errors.reduce((sum, error) => sum + (error - mean) ** 2, 0);
  const sd = errors.length > 1 ? Math.sqrt(squares / (errors.length - 1)) : undefined;
  return { n: errors.length, mean, sd };
}

/** `4.68 ± 0.21`; `4.50` for one seed. */
export function meanText({ mean, sd }: Pick<Spread, 'mean' | 'sd'>, digits = 2): string {
  return `${mean.toFixed(digits)}${sd === undefined ? '' : ` ± ${sd.toFixed(digits)}`}`;
}

/** `4.68 ± 0.21 (n=3)`, `4.50 (n=1)`. */
export function meanAndSpread({ mean, sd, n }: Spread): string {
  return `${meanText({ mean, sd })} (n=${n})`;
}
