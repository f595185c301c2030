import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isThere } from '../config/text.js';
import { UserError } from '../util/errors.js';
import { packageRoot } from '../util/package.js';
import { suggest } from '../util/suggest.js';

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
export function findSweep(pathOrName: string): string {
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
