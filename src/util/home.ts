import { homedir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { UserError } from './errors.js';

/** The person's home folder; undefined for someone without one, as in a container that gives its user a bare number. */
export function homeFolder(): string | undefined {
  return [homedir, () => userInfo().homedir].map(orNothing).find((path) => path && isAbsolute(path));
}

/** The system knows no home of a user whom it does not know. */
function orNothing(find: () => string): string | undefined {
  try {
    return find();
  } catch {
    return undefined;
  }
}

/**
 * A path as a person means it: `~/` is the home folder also where no shell has made it that, as in configs and behind
 * `--data=`. Throws a UserError (usage) for someone without one.
 */
export function atHome(path: string): string {
  if (path !== '~' && !path.startsWith('~/')) return path;
  const home = homeFolder();
  if (home !== undefined) return join(home, path.slice(1));
  throw new UserError('usage', `this user has no home folder for ${path}`, 'Give the whole path, from / on.');
}
