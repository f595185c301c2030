import { existsSync } from 'node:fs';
import { differences } from '../config/identity.js';
import type { Experiment } from '../config/schema.js';
import type { RunRecord } from './run-records.js';

/** A run that should be there: with random weights to begin with. */
export interface WantedRun {
  readonly experiment: Experiment;
  /** First N images of each split, where not all are used. */
  readonly subset?: number | undefined;
}

/**
 * What is to be done about a run that is wanted. `finished`: nothing. `at-work`: a process is training it already.
 * `diverged`: it would diverge again. `resume`: go on from its checkpoint. `start`: from the beginning.
 */
export type RunState =
  | { readonly kind: 'finished' | 'at-work' | 'diverged' | 'resume'; readonly record: RunRecord }
  | { readonly kind: 'start' };

/** Looks for a run among those on disk: the same resolved config and subset, begun with random weights. */
export function runState(run: WantedRun, records: readonly RunRecord[]): RunState {
  const same = records.filter((record) => isSame(run, record));
  const last = (...statuses: RunRecord['status'][]) =>
    same.findLast(({ status }) => statuses.includes(status));
  const finished = last('finished');
  if (finished) return { kind: 'finished', record: finished };
  const atWork = last('running');
  if (atWork) return { kind: 'at-work', record: atWork };
  const diverged = last('diverged');
  if (diverged) return { kind: 'diverged', record: diverged };
  const cut = same.findLast(({ folder }) => existsSync(folder.checkpoint('last')));
  return cut ? { kind: 'resume', record: cut } : { kind: 'start' };
}

/** The newest run on disk that is the wanted one, whatever became of it. */
export function newestRecord(run: WantedRun, records: readonly RunRecord[]): RunRecord | undefined {
  return records.findLast((record) => isSame(run, record));
}

function isSame(run: WantedRun, { experiment, environment, result }: RunRecord): boolean {
  if (!experiment || environment?.init !== undefined) return false;
  if (result && result.subset !== run.subset) return false;
  return differences(run.experiment, experiment).length === 0;
}
