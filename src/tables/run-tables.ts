import { differences } from '../config/identity.js';
import { dataRemark } from '../runs/environment.js';
import type { RunRecord } from '../runs/run-records.js';
import { UserError } from '../util/errors.js';
import { formatCount, formatDuration } from '../util/format.js';
import { suggest } from '../util/suggest.js';
import { datasetLabel, methodName } from './labels.js';
import { valueAt } from './paper-recipe.js';
import { type Sheet, type SheetRecord, signed } from './sheet.js';

/** What the tables of runs say of each. Errors are percentages; undefined is not measured. */
export const RUN_COLUMNS = [
  'run',
  'status',
  'method',
  'depth',
  'dataset',
  'seed',
  'epochs',
  'of',
  'test_error',
  'top5_error',
  'best',
  'paper',
  'parameters',
  'seconds',
  'engine',
  'started',
  'problem',
  'tags',
  'note',
] as const;
export type RunColumn = (typeof RUN_COLUMNS)[number];
export type RunRow = Readonly<Partial<Record<RunColumn, string | number>>>;

/** `test_error` is the one that the experiment reports, so far; `best` was chosen by looking at the test set. */
export function runRow(record: RunRecord): RunRow {
  const { folder, status, experiment, environment, result, problem, note, tags } = record;
  const label =
    experiment &&
    datasetLabel({
      experiment,
      subset: result?.subset,
      init: environment?.init !== undefined,
      dataRemark: dataRemark(environment?.dataset),
    });
  return {
    run: folder.name,
    status,
    method: experiment && methodName(experiment.network),
    depth: experiment?.network.depth,
    dataset: label,
    seed: experiment?.training.seed,
    epochs: result?.epochs,
    of: experiment?.training.epochs,
    test_error: hundredths(result?.reported?.error),
    top5_error: hundredths(result?.reported?.top5Error),
    best: hundredths(result?.best?.error),
    paper: result?.paperError,
    parameters: result?.parameters,
    seconds: result && Number(result.seconds.toFixed(1)),
    engine: environment && `${environment.engine.name} ${environment.engine.device}`,
    started: environment?.started,
    problem,
    tags: tags.join(' ') || undefined,
    note,
  };
}

function hundredths(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Number(value.toFixed(2));
}

/**
 * Sorts rows by a column, `-column` for descending; rows without a value come last. Throws a UserError (usage) if
 * there is no such column.
 */
export function sortRows<T extends SheetRecord>(
  rows: readonly T[],
  columns: readonly string[],
  by: string,
): T[] {
  const descending = by.startsWith('-');
  const column = descending ? by.slice(1) : by;
  if (!columns.includes(column)) {
    throw new UserError('usage', `there is no column '${column}' to sort by`, suggest(column, columns));
  }
  const compare = (a: string | number, b: string | number) =>
    typeof a === 'number' && typeof b === 'number'
      ? a - b
      : `${a}`.localeCompare(`${b}`, 'en', { numeric: true });
  return rows.toSorted((x, y) => {
    const [a, b] = [x[column], y[column]];
    if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
    return descending ? compare(b, a) : compare(a, b);
  });
}

/** Rows of runs for people. Keys beyond `RUN_COLUMNS` are shown as they are. */
export function runSheet(columns: readonly string[], rows: readonly SheetRecord[], title?: string): Sheet {
  return {
    title,
    columns: columns.map((column) => TITLES[column] ?? column),
    right: NUMBERS.map((column) => TITLES[column] ?? column),
    drop: LEAST_ASKED_FOR.map((column) => TITLES[column] ?? column),
    rows: rows.map((row) => columns.map((column) => cellText(column, row[column]))),
  };
}

const TITLES: Readonly<Record<string, string>> = {
  test_error: 'test error',
  top5_error: 'top-5 error',
  seconds: 'time',
};
const ERRORS: readonly string[] = ['test_error', 'top5_error', 'best', 'paper'];
const NUMBERS = ['depth', 'seed', 'epochs', 'of', ...ERRORS, 'parameters', 'seconds'];

/** What narrow terminals leave out, the first to go first. */
const LEAST_ASKED_FOR: readonly RunColumn[] = [
  'engine',
  'started',
  'parameters',
  'depth',
  'method',
  'top5_error',
  'best',
  'seed',
  'note',
  'seconds',
  'dataset',
  'paper',
  'of',
  'problem',
  'tags',
  'epochs',
  'test_error',
];

function cellText(column: string, value: string | number | undefined): string {
  if (typeof value !== 'number') return value ?? '';
  if (ERRORS.includes(column)) return value.toFixed(2);
  if (column === 'parameters') return formatCount(value);
  return column === 'seconds' ? formatDuration(value) : `${value}`;
}

/** Config values that differ between runs, for each run: `network.depth` → `40`. Results carry the paper's number. */
function configDifferences(records: readonly RunRecord[]): {
  keys: string[];
  values: SheetRecord[];
} {
  const [first, ...rest] = records;
  // Of what a folder of images holds, the digest and the counts say enough.
  const keys = [
    ...new Set(rest.flatMap((record) => differences(first?.experiment, record.experiment))),
  ].filter((key) => !/^dataset\.contents(\.mean|\.deviation)?$/.test(key));
  return {
    keys,
    values: records.map(({ experiment }) =>
      Object.fromEntries(keys.map((key) => [key, plain(valueAt(experiment, key))])),
    ),
  };
}

function plain(value: unknown): string | number | undefined {
  if (value === undefined || typeof value === 'number' || typeof value === 'string') return value;
  return JSON.stringify(value);
}

const RESULTS: readonly RunColumn[] = [
  'status',
  'epochs',
  'test_error',
  'top5_error',
  'best',
  'paper',
  'parameters',
  'seconds',
  'engine',
];

/** The columns and rows of `runs compare`: what differs in the configs, then the results. */
export function comparison(records: readonly RunRecord[]): { columns: string[]; rows: SheetRecord[] } {
  const { keys, values } = configDifferences(records);
  const rows = records.map((record, index) => {
    const row = runRow(record);
    return {
      run: row.run,
      ...values[index],
      ...Object.fromEntries(RESULTS.map((column) => [column, row[column]])),
    };
  });
  return { columns: ['run', ...keys, ...RESULTS], rows };
}

/** The table of `runs diff`: config keys that differ, then the results of either, with the second minus the first. */
export function differenceSheet(a: RunRecord, b: RunRecord): Sheet {
  const { keys, values } = configDifferences([a, b]);
  const [rowA, rowB] = [runRow(a), runRow(b)];
  const config = keys.map((key) => [key, `${values[0]![key] ?? ''}`, `${values[1]![key] ?? ''}`, '']);
  const known = RESULTS.filter((column) => rowA[column] !== undefined || rowB[column] !== undefined);
  const results = known.map((column) => {
    const [x, y] = [rowA[column], rowB[column]];
    const numbers = typeof x === 'number' && typeof y === 'number';
    return [column, cellText(column, x), cellText(column, y), numbers ? change(column, x, y) : ''];
  });
  return {
    columns: ['key', a.folder.name, b.folder.name, 'difference'],
    right: ['difference'],
    drop: ['difference'],
    rows: [...config, ...results],
    notes: keys.length === 0 ? ['The configs are the same.'] : [],
  };
}

function change(column: string, x: number, y: number): string {
  if (ERRORS.includes(column)) return signed(y - x);
  const difference = y - x;
  const sign = difference < 0 ? '−' : difference > 0 ? '+' : '';
  const size = Math.abs(difference);
  return `${sign}${column === 'seconds' ? formatDuration(size) : formatCount(size)}`;
}
