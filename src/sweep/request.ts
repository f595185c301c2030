import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isThere } from '../config/text.js';
import { UserError } from '../util/errors.js';
import { packageRoot } from '../util/package.js';
import { suggest } from '../util/suggest.js';
import { readSweepFile, type SweepDefinition } from './definition.js';

/** What is asked for beside a sweep file, or instead of one. */
export interface SweepRequest {
  /** A sweep file, or the name of one in `experiments/`. */
  readonly file?: string | undefined;
  /** Configs instead of a file. */
  readonly configs?: readonly string[] | undefined;
  readonly set: readonly string[];
  readonly seeds?: readonly number[] | undefined;
  readonly subset?: number | undefined;
}

/** The sweep that is asked for. Throws a UserError (usage) unless it is either a file or configs. */
export async function sweepDefinition(request: SweepRequest): Promise<SweepDefinition> {
  const { file, configs, set, seeds, subset } = request;
  if ((file === undefined) === (configs === undefined)) {
    throw new UserError(
      'usage',
      'sweep needs either a file or --config',
      'For example: densenet sweep table2, or densenet sweep --config quickstart --seeds 1,2,3',
    );
  }
  const base =
    file === undefined
      ? { configs: configs!.map((config) => ({ config, set: [] })), set: [], grid: {}, seeds: [1] }
      : await readSweepFile(findSweep(file));
  return {
    ...base,
    set: [...base.set, ...set],
    seeds: seeds ?? base.seeds,
    subset: subset ?? base.subset,
  };
}

const experimentsFolder = join(packageRoot, 'experiments');
const EXTENSION = '.yaml';

/** The sweeps that come with the program. */
export function sweepNames(): string[] {
  return readdirSync(experimentsFolder)
    .filter((file) => file.endsWith(EXTENSION))
    .map((file) => basename(file, EXTENSION))
    .sort();
}

/**
 * A file, or else a sweep in `experiments/`, with or without extension. Throws a UserError (usage) if there is none.
 */
function findSweep(pathOrName: string): string {
  if (isThere(pathOrName)) return pathOrName;
  const name = basename(pathOrName, EXTENSION);
  if (!/[\\/]/.test(pathOrName) && sweepNames().includes(name)) {
    return join(experimentsFolder, name + EXTENSION);
  }
  throw new UserError(
    'usage',
    `there is no sweep '${pathOrName}': no such file, and none of that name in experiments/`,
    suggest(name, sweepNames()),
  );
}
