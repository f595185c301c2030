import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { UserError } from '../util/errors.js';
import type { EpochRow, RunFolder } from './run-folder.js';

/** The epochs of a run so far, from its epochs.csv. Throws a UserError (data) if the file is damaged. */
export async function readEpochs(folder: RunFolder): Promise<EpochRow[]> {
  if (!existsSync(folder.epochs)) return [];
  const damaged = (what: string, cause?: unknown) =>
    new UserError(
      'data',
      `cannot read ${folder.epochs}: ${what}`,
      'Resume the run, which writes the file anew, or take another run.',
      { cause },
    );
  let records: Record<string, string>[];
  try {
    records = parse(await readFile(folder.epochs), { columns: true });
  } catch (error) {
    throw damaged((error as Error).message, error);
  }
  return records.map((record) => {
    const optional = (column: string) => (record[column] ? Number(record[column]) : undefined);
    const number = (column: string) => {
      const value = optional(column);
      if (value === undefined || Number.isNaN(value)) throw damaged(`it has no number in column ${column}`);
      return value;
    };
    return {
      epoch: number('epoch'),
      learningRate: number('learning_rate'),
      trainLoss: number('train_loss'),
      trainError: number('train_error'),
      validationLoss: optional('validation_loss'),
      validationError: optional('validation_error'),
      validationTop5Error: optional('validation_top5_error'),
      testLoss: number('test_loss'),
      testError: number('test_error'),
      testTop5Error: optional('test_top5_error'),
      seconds: number('seconds'),
      imagesPerSecond: number('images_per_second'),
      waitPercent: optional('wait_percent'),
    };
  });
}
