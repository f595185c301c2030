import { existsSync } from 'node:fs';
import { differences } from '../config/identity.js';
import type { RunRecord } from '../runs/run-records.js';
import type { SweepRun } from './expand.js';

/**
 * What is to be done about a run of a sweep. `finished`: nothing. `at-work`: a process is training it already.
 * `diverged`: it would diverge again. `resume`: go on from its checkpoint. `start`: from the beginning.
 */
export type RunState =
  | { readonly kind: 'finished' | 'at-work' | 'diverged' | 'resume'; readonly record: RunRecord }
  | { readonly kind: 'start' };

/** Looks for a run among those on disk: the same resolved config and subset, begun with random weights. */
export function runState(run: SweepRun, records: readonly RunRecord[]): RunState {
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

/** The newest run on disk that the sweep's run is, whatever became of it. */
export function newestRecord(run: SweepRun, records: readonly RunRecord[]): RunRecord | undefined {
  return records.findLast((record) => isSame(run, record));
}

function isSame(run: SweepRun, { experiment, environment, result }: RunRecord): boolean {
  if (!experiment || environment?.init !== undefined) return false;
  if (result && result.subset !== run.subset) return false;
  return differences(run.experiment, experiment).length === 0;
}
