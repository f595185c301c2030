import { existsSync } from 'node:fs';
import type { RunRecord } from '../runs/run-records.js';
import { newestRecord, runState, wantedKey } from '../runs/run-state.js';
import type { Sheet } from '../tables/sheet.js';
import type { SweepRun } from './expand.js';
import type { QueueEntry } from './launchers/launcher.js';
import { runCells } from './outcome.js';

/** A run of a sweep as the folder of results and a queue know it. */
export interface SweepStatus {
  readonly run: SweepRun;
  /** Whether a sweep would start or resume it. */
  readonly due: boolean;
  /** Undefined if it was never in the queue. */
  readonly entry: QueueEntry | undefined;
  /** Undefined if it has no folder. */
  readonly record: RunRecord | undefined;
}

/** Looks up the runs of a sweep. */
export function sweepStatus(
  runs: readonly SweepRun[],
  records: readonly RunRecord[],
  queue: ReadonlyMap<string, QueueEntry>,
): SweepStatus[] {
  return runs.map((run) => {
    const state = runState(run, records);
    const entry = queue.get(wantedKey(run));
    const due = (state.kind === 'start' || state.kind === 'resume') && entry?.state === undefined;
    const record = state.kind === 'start' ? newestRecord(run, records) : state.record;
    return { run, due, entry, record };
  });
}

/** The table of `sweep --status`. */
export function statusSheet(statuses: readonly SweepStatus[]): Sheet {
  const words = statuses.map(statusWord);
  const counts = [...new Set(words)].map((word) => `${words.filter((one) => one === word).length} ${word}`);
  return {
    columns: [
      'experiment',
      'seed',
      'status',
      'epochs',
      'test error',
      'paper',
      'time',
      'queue',
      'run',
      'problem',
    ],
    right: ['seed', 'epochs', 'test error', 'paper', 'time'],
    drop: ['run', 'queue', 'paper', 'time', 'problem', 'epochs', 'test error', 'seed'],
    rows: statuses.map(({ run, entry, record }, index) => {
      const { name, problem, ...cells } = runCells(run, record);
      const inQueue = entry?.state !== undefined;
      const lost = words[index] === FAILED && record === undefined ? `see ${entry?.log}` : '';
      return [
        run.experiment.name,
        `${run.experiment.training.seed}`,
        words[index]!,
        cells.epochs,
        cells.testError,
        cells.paper,
        cells.time,
        entry?.id ?? '',
        name,
        (inQueue ? entry.reason : problem || lost) ?? '',
      ];
    }),
    notes: [`${statuses.length} runs: ${counts.join(', ')}.`],
  };
}

const FAILED = 'failed';

/** The folder of results knows best what ended, and the queue what has not. A task that began has a log. */
function statusWord({ entry, record }: SweepStatus): string {
  if (record && (record.status === 'finished' || record.atWork)) return record.status;
  if (entry?.state === 'waiting') return 'waiting';
  if (entry?.state === 'running') return 'starting';
  if (record) return record.status;
  return entry?.log !== undefined && existsSync(entry.log) ? FAILED : 'not started';
}
