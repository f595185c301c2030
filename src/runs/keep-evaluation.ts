import type { ZodType } from 'zod';
import { packageVersion } from '../util/package.js';
import { evaluationSchema, type RunEvaluation } from './evaluation.js';
import { type RunResult, type TenCropResult, tenCropSchema } from './result.js';
import type { RunFolder } from './run-folder.js';
import { readRunRecord } from './run-records.js';

/** A run with its result. */
export interface EvaluatedRun {
  readonly folder: RunFolder;
  readonly result: RunResult;
}

/** What is asked to be evaluated. */
export interface Asked {
  readonly split: string;
  /** Asked for, where it is not the run's. */
  readonly subset?: number | undefined;
  readonly checkpoint: 'last' | 'best';
}

/** What was evaluated. */
export interface Evaluated {
  /** Digest of the data. */
  readonly digest: string;
  /** Images that could not be read and were left out. */
  readonly skippedImages: readonly string[];
}

/** Whether an evaluation would be a result of the run: of all its test images, with its last weights, finished. */
export function wouldBeResult({ status, last }: RunResult, { split, subset, checkpoint }: Asked): boolean {
  return (
    status === 'finished' &&
    last !== undefined &&
    split === 'test' &&
    subset === undefined &&
    checkpoint === 'last'
  );
}

/** Whether the images were those of the run, none left out that it had. */
export function areItsImages(folder: RunFolder, { digest, skippedImages }: Evaluated): boolean {
  const { environment, result } = readRunRecord(folder);
  const { digest: own = digest } = environment?.dataset ?? {};
  return own === digest && skippedImages.every((name) => result?.skippedImages?.includes(name));
}

/** Keeps an evaluation that is a result of the run in its folder, for reports; returns the file. */
export function keepEvaluation(
  run: EvaluatedRun,
  evaluation: Omit<RunEvaluation, 'epoch' | 'densenet'>,
): Promise<string> {
  return keep(run, run.folder.evaluation, evaluationSchema, evaluation);
}

/** Keeps what ten crops came to, where it is a result of the run, in its folder, for the tables; returns the file. */
export function keepTenCrop(
  run: EvaluatedRun,
  evaluation: Omit<TenCropResult, 'epoch' | 'densenet'>,
): Promise<string> {
  return keep(run, run.folder.tenCrop, tenCropSchema, evaluation);
}

/** Adds the epoch and this version, leaves out what the schema does not have, and writes the file. */
async function keep<T extends object>(
  { folder, result }: EvaluatedRun,
  path: string,
  schema: ZodType<T>,
  evaluation: Omit<T, 'epoch' | 'densenet'>,
): Promise<string> {
  const whole = { ...evaluation, epoch: result.last!.epoch, densenet: packageVersion };
  await folder.writeJson(path, schema.parse(whole));
  return path;
}
