import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { z } from 'zod';

/** One line of epochs.csv. Errors are percentages; a value that was not measured is undefined. */
export const epochRowSchema = z.object({
  /** From 1. */
  epoch: z.int(),
  /** Of the epoch's last step. */
  learningRate: z.number(),
  /** Means over the epoch's batches as they were trained: dropout and augmentation on, weights moving. */
  trainLoss: z.number(),
  trainError: z.number(),
  validationLoss: z.number().optional(),
  validationError: z.number().optional(),
  validationTop5Error: z.number().optional(),
  testLoss: z.number(),
  testError: z.number(),
  /** Undefined where the dataset has few classes. */
  testTop5Error: z.number().optional(),
  /** Training and evaluation of the epoch. */
  seconds: z.number(),
  /** Training only. */
  imagesPerSecond: z.number(),
  /** Share of the training time in which it waited for images, in percent. */
  waitPercent: z.number().optional(),
});
export type EpochRow = Readonly<z.infer<typeof epochRowSchema>>;

/** epochs.csv. */
export function epochsCsv(rows: readonly EpochRow[]): string {
  const number = (value: number | undefined, digits: number) => value?.toFixed(digits) ?? '';
  const table = rows.map((row) => ({
    epoch: row.epoch,
    learning_rate: Number(row.learningRate.toPrecision(6)),
    train_loss: number(row.trainLoss, 6),
    train_error: number(row.trainError, 2),
    validation_loss: number(row.validationLoss, 6),
    validation_error: number(row.validationError, 2),
    validation_top5_error: number(row.validationTop5Error, 2),
    test_loss: number(row.testLoss, 6),
    test_error: number(row.testError, 2),
    test_top5_error: number(row.testTop5Error, 2),
    seconds: number(row.seconds, 1),
    images_per_second: number(row.imagesPerSecond, 1),
    wait_percent: number(row.waitPercent, 1),
  }));
  return stringify(table, { header: true });
}

/** Reads epochs.csv; also of versions that had fewer columns. Throws an Error that says what is damaged. */
export function parseEpochs(text: string): EpochRow[] {
  const records = parse(text, { columns: true }) as Record<string, string>[];
  return records.map((record) => {
    const optional = (column: string) => (record[column] ? number(column) : undefined);
    const number = (column: string) => {
      // Of spaces alone, Number makes 0.
      const value = Number(record[column]?.trim() || Number.NaN);
      if (Number.isNaN(value)) throw new Error(`it has no number in column ${column}`);
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
