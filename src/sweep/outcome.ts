import type { RunRecord } from '../runs/run-records.js';
import type { RunState } from '../runs/run-state.js';
import { runRow } from '../tables/run-tables.js';
import type { Sheet } from '../tables/sheet.js';
import { EXIT } from '../util/errors.js';
import { formatDuration } from '../util/format.js';
import type { SweepRun } from './expand.js';

/** What became of a run of a sweep. */
export interface SweepOutcome {
  readonly run: SweepRun;
  /** What it was when its turn came. */
  readonly before: RunState;
  /** Of its process; undefined if none was started, null if a signal ended it. */
  readonly exitCode: number | null | undefined;
  /** Another process was at it when its own came, which left it alone. */
  readonly left: boolean;
  /** Its folder as it is now; undefined if it has none. */
  readonly record: RunRecord | undefined;
}

/** What the table of a sweep says of a run: its status, or why it was not touched. */
function outcomeStatus(outcome: SweepOutcome): string {
  const { before, exitCode, record } = outcome;
  if (before.kind === 'finished') return 'finished before';
  if (isElsewhere(outcome)) return 'running elsewhere';
  if (before.kind === 'diverged') return 'diverged before';
  if (before.kind === 'damaged') return 'damaged before';
  if (exitCode === undefined) return 'not started';
  if (record === undefined || record.status === 'damaged') return `failed (exit code ${exitCode ?? 'none'})`;
  return record.status;
}

function isElsewhere({ before, left, record }: SweepOutcome): boolean {
  const ended = record?.status === 'finished' || record?.status === 'diverged';
  return before.kind === 'at-work' || (left && !ended);
}

/** What the tables of a sweep say of a run, from what is on the disk. */
export function runCells({ experiment }: SweepRun, record: RunRecord | undefined) {
  const row = record && runRow(record);
  const percent = (value: string | number | undefined) =>
    value === undefined ? '' : Number(value).toFixed(2);
  return {
    epochs: `${row?.epochs ?? 0}/${experiment.training.epochs}`,
    testError: percent(row?.test_error),
    paper: percent(experiment.paper?.error),
    time: typeof row?.seconds === 'number' ? formatDuration(row.seconds) : '',
    name: record?.folder.name ?? '',
    problem: record?.problem ?? '',
  };
}

/** The table at the end of a sweep. */
export function outcomeSheet(outcomes: readonly SweepOutcome[]): Sheet {
  return {
    columns: ['experiment', 'seed', 'status', 'epochs', 'test error', 'paper', 'time', 'run', 'problem'],
    right: ['seed', 'epochs', 'test error', 'paper', 'time'],
    drop: ['run', 'paper', 'time', 'problem', 'epochs', 'test error', 'seed'],
    rows: outcomes.map((outcome) => {
      const { name, training } = outcome.run.experiment;
      const cells = Object.values(runCells(outcome.run, outcome.record));
      return [name, `${training.seed}`, outcomeStatus(outcome), ...cells];
    }),
  };
}

/**
 * 0 if every run is finished; otherwise the exit code of the first that failed, as `train` gives it, 1 if a signal
 * ended it, 3 if a run is left to another process or to a person. Interruption is the caller's to tell.
 */
export function sweepExitCode(outcomes: readonly SweepOutcome[]): number {
  for (const { before, exitCode, left, record } of outcomes) {
    if (before.kind === 'diverged' || (left && record?.status === 'diverged')) return EXIT.diverged;
    if (left) continue;
    if (exitCode === null) return 1;
    if (exitCode !== undefined && exitCode !== 0) return exitCode;
  }
  const isLeft = (outcome: SweepOutcome) => isElsewhere(outcome) || outcome.before.kind === 'damaged';
  return outcomes.some(isLeft) ? EXIT.data : EXIT.ok;
}
