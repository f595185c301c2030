import { existsSync } from 'node:fs';
import type { Experiment } from '../config/schema.js';
import { UserError } from '../util/errors.js';
import type { Reporter } from '../util/reporter.js';
import { dataRemark } from './environment.js';
import { listRunFolders } from './folders.js';
import type { TenCropResult } from './result.js';
import type { RunFolder } from './run-folder.js';

/** What the tables need to know of a run. */
export interface FinishedRun {
  /** `<experiment>/<run>`. */
  readonly name: string;
  readonly experiment: Experiment;
  readonly parameters: number;
  /** In percent: of the epoch that the experiment's `report` chooses. */
  readonly testError: number;
  /** The top-5 error of that epoch, where it was counted. */
  readonly top5Error?: number | undefined;
  /** Errors of ten crops, where they were evaluated and are of the reported epoch. */
  readonly tenCrop?: Pick<TenCropResult, 'error' | 'top5Error'> | undefined;
  /** First N images of each split, where the run did not use all. */
  readonly subset?: number | undefined;
  /** Why its data were not the published ones (`dataRemark`). */
  readonly dataRemark?: string | undefined;
  /** Whether it began with weights from a file (`--init`). */
  readonly init: boolean;
}

/** Reads every finished run of a results folder. A damaged run is left out with a warning. */
export async function readFinishedRuns(resultsFolder: string, reporter: Reporter): Promise<FinishedRun[]> {
  const runs: FinishedRun[] = [];
  for (const folder of await listRunFolders(resultsFolder)) {
    try {
      const run = readFinishedRun(folder);
      if (run) runs.push(run);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      reporter.warn(`the run ${folder.name} is left out of the tables: ${error.message}`);
    }
  }
  return runs;
}

/** Reads a run; undefined if it is not finished. Throws a UserError (data, usage) if a file is damaged. */
export function readFinishedRun(folder: RunFolder): FinishedRun | undefined {
  if (!existsSync(folder.result)) return undefined;
  const result = folder.readResult();
  if (result.status !== 'finished' || result.reported === undefined) return undefined;
  const { init, ...session } = folder.readEnvironment();
  return {
    name: folder.name,
    experiment: folder.readExperiment(),
    parameters: result.parameters,
    testError: result.reported.error,
    top5Error: result.reported.top5Error,
    tenCrop: tenCropAt(folder, result.reported.epoch),
    subset: result.subset,
    dataRemark: [session, ...session.resumed].map(({ dataset }) => dataRemark(dataset)).find(Boolean),
    init: init !== undefined,
  };
}

function tenCropAt(folder: RunFolder, epoch: number): FinishedRun['tenCrop'] {
  const result = folder.readTenCrop();
  return result?.epoch === epoch ? { error: result.error, top5Error: result.top5Error } : undefined;
}
