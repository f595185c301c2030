import { existsSync } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '../util/errors.js';
import { makeFolder } from '../util/files.js';
import { RunFolder } from './run-folder.js';

const RUNS = 'runs';

/** What to do where results cannot be written. */
export const RESULTS_REMEDY = 'choose another folder with --results DIR';

/** Makes the folder of a new run, named by time and seed; two runs never share one. */
export async function createRunFolder(
  resultsFolder: string,
  experiment: string,
  seed: number,
  now = new Date(),
): Promise<RunFolder> {
  const folder = join(resultsFolder, RUNS, experiment);
  await makeFolder(folder, RESULTS_REMEDY);
  const time = now.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
  for (let attempt = 1; ; attempt++) {
    const run = `${time}-seed-${seed}${attempt > 1 ? `-${attempt}` : ''}`;
    try {
      await mkdir(join(folder, run));
    } catch (error) {
      if (existsSync(join(folder, run))) continue;
      throw error;
    }
    await mkdir(join(folder, run, 'checkpoint'));
    return new RunFolder(join(folder, run), `${experiment}/${run}`);
  }
}

/**
 * Finds a run by its folder, by `<experiment>/<run>`, or by `<experiment>` (its newest run).
 * Throws a UserError (usage) that lists what there is.
 */
export async function findRunFolder(resultsFolder: string, reference: string): Promise<RunFolder> {
  const runs = await listRunFolders(resultsFolder);
  const path = resolve(reference);
  if (existsSync(join(path, 'config.json'))) {
    return runs.find((run) => resolve(run.path) === path) ?? new RunFolder(path, reference);
  }
  const found =
    runs.find((run) => run.name === reference) ??
    runs.findLast((run) => run.name.startsWith(`${reference}/`));
  if (found) return found;
  const names = runs.slice(-8).map((run) => run.name);
  throw new UserError(
    'usage',
    `there is no run '${reference}' in ${join(resultsFolder, RUNS)}`,
    names.length > 0
      ? `Give a run's folder, or one of: ${names.join(', ')}.`
      : 'Train one first: densenet train --config quickstart',
  );
}

/** All runs, by experiment, oldest first. */
export async function listRunFolders(resultsFolder: string): Promise<RunFolder[]> {
  const runs: RunFolder[] = [];
  const root = join(resultsFolder, RUNS);
  for (const experiment of await subfolders(root)) {
    for (const run of await subfolders(join(root, experiment))) {
      const path = join(root, experiment, run);
      if (existsSync(join(path, 'config.json'))) runs.push(new RunFolder(path, `${experiment}/${run}`));
    }
  }
  return runs;
}

async function subfolders(path: string): Promise<string[]> {
  if (!existsSync(path) || !(await stat(path)).isDirectory()) return [];
  const entries = await readdir(path, { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
}
