import { existsSync } from 'node:fs';
import type { Experiment } from '../config/schema.js';
import { UserError } from '../util/errors.js';
import { type AtWork, whoTrains } from './at-work.js';
import type { RunEnvironment } from './environment.js';
import type { EpochRow } from './epochs.js';
import { findRunFolders, listRunFolders } from './folders.js';
import { reportedErrors } from './reported-errors.js';
import { RUN_STATUSES, type RunResult } from './result.js';
import type { RunFolder } from './run-folder.js';

/**
 * `killed`: result.json says `running`, but no process is training it. `damaged`: a file of the folder
 * cannot be read.
 */
export const SHOWN_STATUSES = [...RUN_STATUSES, 'killed', 'damaged'] as const;
export type ShownStatus = (typeof SHOWN_STATUSES)[number];

/** A run in whatever state it is. What could not be read is undefined. */
export interface RunRecord {
  readonly folder: RunFolder;
  readonly status: ShownStatus;
  readonly experiment?: Experiment | undefined;
  readonly environment?: RunEnvironment | undefined;
  /** Undefined if result.json is missing. Of a run that did not say that it ended, what epochs.csv has of it so far. */
  readonly result?: RunResult | undefined;
  readonly epochs: readonly EpochRow[];
  /** The process that trains it, or may. */
  readonly atWork?: AtWork | undefined;
  /** Why the run stopped, or what is damaged. */
  readonly problem?: string | undefined;
  /** What a person wrote about it. */
  readonly note?: string | undefined;
  readonly tags: readonly string[];
}

/** Every run of a results folder, by experiment, oldest first. */
export async function readRunRecords(resultsFolder: string): Promise<RunRecord[]> {
  return (await listRunFolders(resultsFolder)).map(readRunRecord);
}

export function readRunRecord(folder: RunFolder): RunRecord {
  const damage: string[] = [];
  const readable = <T>(read: () => T, problems = damage): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(error.message);
      return undefined;
    }
  };
  const experiment = readable(() => folder.readExperiment());
  const environment = existsSync(folder.environment) ? readable(() => folder.readEnvironment()) : undefined;
  const stored = existsSync(folder.result) ? readable(() => folder.readResult()) : undefined;
  const epochs = readable(() => folder.readEpochs()) ?? [];
  // A run without its note is as good as before.
  const unreadable: string[] = [];
  const note = readable(() => folder.readNote(), unreadable);
  const tags = readable(() => folder.readTags(), unreadable) ?? [];
  const ended = stored !== undefined && stored.status !== 'running';
  const atWork = ended ? undefined : whoTrains(folder, environment, stored);
  const status = ended ? stored.status : atWork ? 'running' : 'killed';
  return {
    folder,
    status: damage.length > 0 ? 'damaged' : status,
    experiment,
    environment,
    result: stored && !ended ? soFar(stored, epochs, experiment) : stored,
    epochs,
    atWork,
    problem: [...damage, ...unreadable].join('; ') || stored?.message,
    note,
    tags,
  };
}

/** result.json is written when training begins and ends; between, epochs.csv says how far it has come. */
function soFar(
  stored: RunResult,
  epochs: readonly EpochRow[],
  experiment: Experiment | undefined,
): RunResult {
  if (epochs.length === 0 || experiment === undefined) return stored;
  return {
    ...stored,
    epochs: epochs.length,
    seconds: epochs.reduce((sum, { seconds }) => sum + seconds, 0),
    ...reportedErrors(epochs, experiment.report),
  };
}

/**
 * The run that `--resume` means: of an experiment the newest that can be resumed, or the newest if none can. Throws a
 * UserError (usage) if there is none of that name.
 */
export async function findRunToResume(
  resultsFolder: string,
  reference: string,
  { takeOver }: { readonly takeOver: boolean },
): Promise<RunFolder> {
  const folders = await findRunFolders(resultsFolder, reference);
  const goesOn = (folder: RunFolder) => {
    const { status, atWork } = readRunRecord(folder);
    if (atWork) return !atWork.seen && takeOver;
    return status !== 'finished' && status !== 'diverged';
  };
  return folders.findLast(goesOn) ?? folders.at(-1)!;
}
