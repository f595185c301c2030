import { basename } from 'node:path';
import type { FinishedRun } from './finished-runs.js';
import { datasetLabel, methodName } from './labels.js';
import { paperTable2, TABLE2_COLUMNS, type Table2Column } from './paper-tables.js';

/** Columns of test-error.csv: those of Table 2, then what a measured row is made of. */
export const TEST_ERROR_COLUMNS = [
  'method',
  'depth',
  'params',
  ...TABLE2_COLUMNS,
  'source',
  'n',
  'mean',
  'sd',
  'dataset',
  'epochs',
  'validation',
  'runs',
] as const;

export type TestErrorRow = Readonly<Partial<Record<(typeof TEST_ERROR_COLUMNS)[number], string | number>>>;

/**
 * The rows of test-error.csv: the paper's Table 2, then one row for each experiment that was measured, with its
 * mean in the column of Table 2 that it belongs to, if any. Runs count as one experiment if their configs differ
 * in nothing but name, seed and memory. Repeating a seed repeats the result, so the newest run of a seed stands
 * for it and n counts seeds. sd is the sample standard deviation, empty for one seed.
 */
export function testErrorRows(runs: readonly FinishedRun[]): TestErrorRow[] {
  const paper = paperTable2();
  const printed: TestErrorRow[] = paper.map(({ method, depth, params, errors }) => ({
    method,
    depth,
    params,
    ...Object.fromEntries(Object.entries(errors).map(([column, error]) => [column, error.toFixed(2)])),
    source: 'paper',
  }));
  const place = (row: TestErrorRow) => {
    const index = paper.findIndex(({ method, depth }) => method === row.method && depth === row.depth);
    return index < 0 ? paper.length : index;
  };
  const columnPlace = (row: TestErrorRow) => {
    const index = TABLE2_COLUMNS.indexOf(row.dataset as Table2Column);
    return index < 0 ? TABLE2_COLUMNS.length : index;
  };
  const measured = groupRuns(runs)
    .map(measuredRow)
    .sort((a, b) => place(a) - place(b) || columnPlace(a) - columnPlace(b));
  return [...printed, ...measured];
}

/** Runs of the same experiment, one for each seed; groups in order of their names. */
function groupRuns(runs: readonly FinishedRun[]): FinishedRun[][] {
  const groups = new Map<string, Map<number, FinishedRun>>();
  for (const run of [...runs].sort(byTime)) {
    const { network, dataset, training, report } = run.experiment;
    const { seed, memoryEfficient: _, ...recipe } = training;
    const key = JSON.stringify([network, dataset, recipe, report, datasetLabel(run)]);
    const group = groups.get(key) ?? new Map<number, FinishedRun>();
    groups.set(key, group.set(seed, run));
  }
  return [...groups.values()]
    .map((group) => [...group.values()].sort((a, b) => compare(a.name, b.name)))
    .sort(([a], [b]) => compare(a!.name, b!.name));
}

/** Run folders are named by time. */
function byTime(a: FinishedRun, b: FinishedRun): number {
  return compare(basename(a.name), basename(b.name));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function measuredRow(group: readonly FinishedRun[]): TestErrorRow {
  const { experiment, parameters } = group[0]!;
  const label = datasetLabel(group[0]!);
  const errors = group.map((run) => run.testError);
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  const squares = errors.reduce((sum, error) => sum + (error - mean) ** 2, 0);
  return {
    method: methodName(experiment.network),
    depth: experiment.network.depth,
    params: millions(parameters),
    ...(TABLE2_COLUMNS.some((column) => column === label) ? { [label]: mean.toFixed(2) } : {}),
    source: 'measured',
    n: errors.length,
    mean: mean.toFixed(2),
    sd: errors.length > 1 ? Math.sqrt(squares / (errors.length - 1)).toFixed(2) : undefined,
    dataset: label,
    epochs: experiment.training.epochs,
    validation: experiment.dataset.validation,
    runs: group.map((run) => run.name).join(' '),
  };
}

/** As the paper prints it, `0.8M`; with two digits below 0.1M. */
function millions(count: number): string {
  const value = count / 1e6;
  return `${value < 0.1 ? value.toPrecision(2) : value.toFixed(1)}M`;
}
