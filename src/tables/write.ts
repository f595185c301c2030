import { join } from 'node:path';
import { type FinishedRun, readFinishedRuns } from '../runs/finished-runs.js';
import { RESULTS_REMEDY } from '../runs/folders.js';
import { csv } from '../util/csv.js';
import { makeFolder, writeFileAtomic } from '../util/files.js';
import { type Reporter, silent } from '../util/reporter.js';
import { type Measurement, measurements } from './measurements.js';
import { PARAMETER_COUNT_COLUMNS, parameterCountRows } from './parameter-count.js';
import { TEST_ERROR_COLUMNS, testErrorRows } from './test-error.js';

/** Rewrites the tables of a results folder from all finished runs in it; returns their paths. */
export async function updateTables(resultsFolder: string, reporter: Reporter = silent): Promise<string[]> {
  return writeTables(resultsFolder, await readFinishedRuns(resultsFolder, reporter));
}

/** Writes `test-error.csv` and `parameter-count.csv` from the given runs; returns their paths. */
export async function writeTables(resultsFolder: string, runs: readonly FinishedRun[]): Promise<string[]> {
  await makeFolder(resultsFolder, RESULTS_REMEDY);
  const paths: string[] = [];
  for (const [name, text] of tableFiles(measurements(runs))) {
    const path = join(resultsFolder, name);
    await writeFileAtomic(path, text);
    paths.push(path);
  }
  return paths;
}

/** The two tables, by name. */
export function tableFiles(measured: readonly Measurement[]): [name: string, text: string][] {
  return [
    ['test-error.csv', csv(TEST_ERROR_COLUMNS, testErrorRows(measured))],
    ['parameter-count.csv', csv(PARAMETER_COUNT_COLUMNS, parameterCountRows(measured))],
  ];
}
