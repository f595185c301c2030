import { basename } from 'node:path';
import { parse } from 'csv-parse/sync';
import { UserError } from '../util/errors.js';
import { readSmallFile } from '../util/read-files.js';

/** Test errors by epoch that somebody published. */
export interface PublishedCurve {
  /** The file's name. */
  readonly name: string;
  readonly points: readonly { readonly epoch: number; readonly testError: number }[];
}

const MOST_BYTES = 16e6;

const COLUMNS = { epoch: ['epoch'], testError: ['test_error', 'test error', 'error'] };

const REMEDY = 'The first line names the columns, epoch and test_error; errors are percentages.';

/** Reads a CSV file with the columns epoch and test error, in percent. Throws a UserError (data). */
export async function readPublishedCurve(path: string): Promise<PublishedCurve> {
  const rows = parseRows(path, (await readFileOrExplain(path)).toString('utf8'));
  const column = (names: readonly string[]) => {
    const name = Object.keys(rows[0] ?? {}).find((key) => names.includes(key.trim().toLowerCase()));
    if (name === undefined)
      throw new UserError('data', `${path} has no column ${names[0]}, or no line`, REMEDY);
    return name;
  };
  const [epochs, errors] = [column(COLUMNS.epoch), column(COLUMNS.testError)];
  const points = rows.map((row, index) => {
    const [epoch, testError] = [Number(row[epochs] || Number.NaN), Number(row[errors] || Number.NaN)];
    if (epoch >= 0 && testError >= 0 && testError <= 100 && Number.isFinite(epoch))
      return { epoch, testError };
    throw new UserError(
      'data',
      `${path}, line ${index + 2}: '${row[epochs]}' and '${row[errors]}' are not an epoch and an error in percent`,
      REMEDY,
    );
  });
  const sorted = points.sort((a, b) => a.epoch - b.epoch);
  return { name: basename(path).replace(/\.csv$/i, ''), points: sorted };
}

async function readFileOrExplain(path: string): Promise<Buffer> {
  try {
    return await readSmallFile(path, MOST_BYTES);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const message = `cannot read ${path}: ${(error as Error).message}`;
    throw new UserError('data', message, 'Give the path of a CSV file.', { cause: error });
  }
}

function parseRows(path: string, text: string): Record<string, string>[] {
  try {
    return parse(text, { columns: true, skip_empty_lines: true, trim: true, bom: true });
  } catch (error) {
    const message = `${path} is not a CSV file: ${(error as Error).message}`;
    throw new UserError('data', message, REMEDY, { cause: error });
  }
}
