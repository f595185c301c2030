import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../util/errors.js';
import { makeFolder } from '../util/files.js';
import { suggest } from '../util/suggest.js';
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
  return (await findRunFolders(resultsFolder, reference)).at(-1)!;
}

/** The folders that a reference may mean, at least one: of an experiment all its runs, oldest first. */
export async function findRunFolders(resultsFolder: string, reference: string): Promise<RunFolder[]> {
  const runs = await listRunFolders(resultsFolder);
  const path = resolve(reference);
  if (existsSync(join(path, 'config.json'))) {
    return [runs.find((run) => resolve(run.path) === path) ?? new RunFolder(path, reference)];
  }
  const exact = runs.find((run) => run.name === reference);
  const found = exact ? [exact] : runs.filter((run) => run.name.startsWith(`${reference}/`));
  if (found.length > 0) return found;
  const experiments = [...new Set(runs.map(({ name }) => name.split('/')[0]!))];
  const names = reference.includes('/') ? runs.map(({ name }) => name) : experiments;
  throw new UserError(
    'usage',
    `there is no run '${reference}' in ${join(resultsFolder, RUNS)}`,
    names.length > 0 ? suggest(reference, names, 8) : 'Train one first: densenet train quickstart',
  );
}

/** The folder of results that a run lies in; undefined for one that was copied elsewhere. */
export function resultsFolderOf({ path }: RunFolder): string | undefined {
  const runs = dirname(dirname(path));
  return basename(runs) === RUNS ? dirname(runs) : undefined;
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

/** The names of folders in a folder; none where it is none, or cannot be read. */
async function subfolders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
}
