import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { differences, runKey } from '../config/identity.js';
import type { Experiment } from '../config/schema.js';
import { UserError } from '../util/errors.js';
import { shellWord } from '../util/shell.js';
import type { RunFolder } from './run-folder.js';
import type { RunRecord } from './run-records.js';

/** A run that should be there: with random weights to begin with. */
export interface WantedRun {
  readonly experiment: Experiment;
  /** First N images of each split, where not all are used. */
  readonly subset?: number | undefined;
  /** Digest of its data, where they are on disk: a run on other data is another run. */
  readonly data?: string | undefined;
}

/** Sixteen hexadecimal digits, the same for two wanted runs exactly if they are the same run. */
export function wantedKey({ experiment, subset }: WantedRun): string {
  return createHash('sha256')
    .update(`${runKey(experiment)} ${subset}`)
    .digest('hex')
    .slice(0, 16);
}

/**
 * What is to be done about a run that is wanted. `finished`: nothing. `at-work`: a process is training it already.
 * `diverged`: it would diverge again. `damaged`: it may be the run of that folder, whose files do not say; a person
 * must look. `resume`: from its checkpoint. `start`: from the beginning.
 */
export type RunState =
  | {
      readonly kind: 'finished' | 'at-work' | 'diverged' | 'damaged' | 'resume';
      readonly record: RunRecord;
    }
  | { readonly kind: 'start' };

/** Looks for a run among those on disk: the same resolved config and subset, begun with random weights. */
export function runState(run: WantedRun, records: readonly RunRecord[]): RunState {
  const same = records.filter((record) => isSame(run, record));
  const finished = same.findLast(({ result }) => result?.status === 'finished');
  if (finished) return { kind: 'finished', record: finished };
  const atWork = same.findLast((record) => record.atWork);
  if (atWork) return { kind: 'at-work', record: atWork };
  const diverged = same.findLast(({ result }) => result?.status === 'diverged');
  if (diverged) return { kind: 'diverged', record: diverged };
  const cut = same.findLast(({ folder }) => canGoOn(folder));
  if (cut) return { kind: 'resume', record: cut };
  const unclear = records.findLast((record) => mayBe(run, record) && holdsWeights(record));
  return unclear ? { kind: 'damaged', record: unclear } : { kind: 'start' };
}

/** What to throw, or say, of a run that may be the wanted one and whose files do not say. */
export function hiddenByDamage({ folder, experiment, problem }: RunRecord): UserError {
  const goOn = experiment ? `Resume it with: densenet train --resume ${shellWord(folder.path)}. ` : '';
  return new UserError(
    'data',
    `the run ${folder.name} may be this one, and is damaged: ${problem}`,
    `${goOn}To train it again, move its folder away: ${folder.path}`,
  );
}

/** The newest run on disk that is the wanted one, whatever became of it. */
export function newestRecord(run: WantedRun, records: readonly RunRecord[]): RunRecord | undefined {
  return records.findLast((record) => isSame(run, record));
}

/** Whether its files say that it is the run. Before its training begins, a run has no result.json. */
function isSame(run: WantedRun, record: RunRecord): boolean {
  const { experiment, environment, result, folder } = record;
  if (!experiment || !environment) return false;
  return (result !== undefined || !existsSync(folder.result)) && mayBe(run, record);
}

/** Whether nothing that can be read of it says that it is another run. */
function mayBe(run: WantedRun, { folder, experiment, environment, result }: RunRecord): boolean {
  if (environment?.init !== undefined) return false;
  if (result && result.subset !== run.subset) return false;
  const { digest = run.data } = environment?.dataset ?? {};
  if (run.data !== undefined && digest !== run.data) return false;
  if (experiment) return differences(run.experiment, experiment).length === 0;
  const { name, training } = run.experiment;
  const [ofExperiment, ofRun] = folder.name.split('/');
  return ofExperiment === name && new RegExp(`-seed-${training.seed}(-\\d+)?$`).test(ofRun ?? '');
}

/** Whether there is a checkpoint to resume from: the one before the last will do. */
export function canGoOn(folder: RunFolder): boolean {
  return (['last', 'previous'] as const).some((which) => existsSync(folder.checkpoint(which)));
}

/** Whether there is something to lose. */
function holdsWeights({ folder }: RunRecord): boolean {
  return canGoOn(folder) || existsSync(folder.checkpoint('best'));
}
