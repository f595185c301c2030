import { packageVersion } from '../util/package.js';
import type { RunEvaluation } from './evaluation.js';
import type { RunResult } from './result.js';
import type { RunFolder } from './run-folder.js';

/** Keeps an evaluation that is a result of the run in its folder, for reports; returns the file. */
export async function keepEvaluation(
  { folder, result }: { readonly folder: RunFolder; readonly result: RunResult },
  evaluation: Omit<RunEvaluation, 'epoch' | 'densenet'>,
): Promise<string> {
  const { count, error, classNames, confusion, calibration, mistakes, engine } = evaluation;
  const record: RunEvaluation = {
    epoch: result.last!.epoch,
    count,
    error,
    classNames,
    confusion,
    calibration,
    mistakes,
    engine,
    densenet: packageVersion,
  };
  await folder.writeJson(folder.evaluation, record);
  return folder.evaluation;
}
