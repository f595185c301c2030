import { accessSync, constants, type Dirent, existsSync, type Stats, statSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { diskError } from '../util/disk-errors.js';
import { systemCode, UserError } from '../util/errors.js';
import { cannotWrite, makeFolder } from '../util/files.js';
import { isDead, liveness, ownerName } from '../util/owner.js';
import { suggest } from '../util/suggest.js';
import type { RunEnvironment } from './environment.js';
import { RunFolder } from './run-folder.js';

const RUNS = 'runs';

/** What to do where results cannot be written. */
export const RESULTS_REMEDY = 'choose another folder with --results DIR';

/**
 * Makes the folder of a new run, named by time and seed; two runs never share one. It has its environment.json from the
 * first moment, so that whose it is can be told. What killed processes left before their run existed is removed.
 */
export async function createRunFolder(
  resultsFolder: string,
  experiment: string,
  environment: RunEnvironment,
  seed: number,
  now = new Date(),
): Promise<RunFolder> {
  const folder = experimentFolder(resultsFolder, experiment);
  await makeFolder(folder, RESULTS_REMEDY);
  for (const name of await subfolders(folder)) await removeUnborn(join(folder, name), name);
  const unborn = new RunFolder(join(folder, `${UNBORN}${++made}-${ownerName(process.pid)}`), experiment);
  await makeFolder(join(unborn.path, 'checkpoint'), RESULTS_REMEDY);
  await unborn.writeJson(unborn.environment, environment);
  const time = now.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
  for (let attempt = 1; ; attempt++) {
    const run = `${time}-seed-${seed}${attempt > 1 ? `-${attempt}` : ''}`;
    try {
      await rename(unborn.path, join(folder, run));
      return new RunFolder(join(folder, run), `${experiment}/${run}`);
    } catch (error) {
      if (!existsSync(join(folder, run))) throw cannotWrite(join(folder, run), error);
    }
  }
}

/** Where the runs of an experiment are. */
export function experimentFolder(resultsFolder: string, experiment: string): string {
  return join(resultsFolder, RUNS, experiment);
}

/** How a folder is called before it is a run's, with a number and its owner's name behind. */
const UNBORN = '.new-';

/** How the folder of a run is called while it is being removed, likewise. */
export const REMOVED = '.removed-';

/** Folders that this process has made. */
let made = 0;

/** Removes a folder that is no run, and whose process is dead: it was to become one, or was being removed. */
async function removeUnborn(path: string, name: string): Promise<void> {
  const folder = new RunFolder(path, name);
  if (!name.startsWith(REMOVED) && (existsSync(folder.config) || existsSync(folder.epochs))) return;
  const owner = /^\.(?:new|removed)-\d+-(.*)$/s.exec(name)?.[1];
  if (owner === undefined ? isAbandoned(folder) : isDead(owner))
    // What another person left is theirs to remove.
    await rm(path, { recursive: true, force: true }).catch(() => {});
}

/** Whether it is as a killed process leaves it before the config is written, which comes last. */
function isAbandoned(folder: RunFolder): boolean {
  try {
    const { host, pid, processStart, resumed } = folder.readEnvironment();
    const trained = existsSync(folder.result) && folder.readResult().epochs > 0;
    if (pid === undefined || resumed.length > 0 || trained || existsSync(folder.checkpoint('best')))
      return false;
    return liveness({ host, pid, start: processStart }) === 'dead';
  } catch {
    return false;
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

/** The folder of results that a run lies in; of one that was copied elsewhere, the given one. */
export function resultsFolderOf({ path }: RunFolder, otherwise: string): string {
  const runs = dirname(dirname(path));
  return basename(runs) === RUNS ? dirname(runs) : otherwise;
}

/** All runs, by experiment, oldest first. One whose config is lost is a damaged run: epochs.csv is written after it. */
export async function listRunFolders(resultsFolder: string): Promise<RunFolder[]> {
  const runs: RunFolder[] = [];
  const root = join(resultsFolder, RUNS);
  for (const experiment of await subfolders(root)) {
    for (const run of await subfolders(join(root, experiment))) {
      const path = join(root, experiment, run);
      const folder = new RunFolder(path, `${experiment}/${run}`);
      const isRun = existsSync(folder.config) || existsSync(folder.epochs) || isClosed(path);
      if (isRun && !run.startsWith(REMOVED)) runs.push(folder);
    }
  }
  return runs;
}

/** Whether this person may not look into a folder. */
function isClosed(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return false;
  } catch {
    return true;
  }
}

/**
 * The names of folders, and of links to some, in a folder; none where there is none. Throws a UserError (data) where it
 * cannot be read: its runs must not be passed over.
 */
async function subfolders(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    const isFolder = (entry: Dirent) =>
      entry.isDirectory() || (entry.isSymbolicLink() && lookAt(join(path, entry.name))?.isDirectory());
    return entries
      .filter(isFolder)
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw diskError(error, `cannot read ${path}`, RESULTS_REMEDY);
  }
}

/** Undefined where there is nothing, or a link that leads nowhere. */
function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
