import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type FinishedRun, readFinishedRuns } from '../runs/finished-runs.js';
import { RESULTS_REMEDY } from '../runs/folders.js';
import { csv } from '../util/csv.js';
import { makeFolder, writeFileAtomic } from '../util/files.js';
import { type Reporter, silent } from '../util/reporter.js';
import { type Measurement, measurements } from './measurements.js';
import { PARAMETER_COUNT_COLUMNS, parameterCountRows } from './parameter-count.js';
import { TEST_ERROR_COLUMNS, testErrorRows } from './test-error.js';

/**
 * Rewrites the tables of a results folder from all finished runs in it; returns their paths. Other processes, on other
 * hosts too, may do the same: whoever writes last looks again afterwards, so the tables have every run in the end.
 */
export async function updateTables(resultsFolder: string, reporter: Reporter = silent): Promise<string[]> {
  for (let runs = await readFinishedRuns(resultsFolder, reporter); ; ) {
    const paths = await writeTables(resultsFolder, runs);
    const now = await readFinishedRuns(resultsFolder, silent);
    if (isDeepStrictEqual(now, runs)) return paths;
    runs = now;
  }
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
