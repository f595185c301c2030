import { homedir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { UserError } from './errors.js';

/**
 * A folder of this program in the person's cache: `$XDG_CACHE_HOME/densenet/<name>`, else `~/.cache/densenet/<name>`.
 * Throws a UserError (data) for someone without a home, as in a container that gives its user a bare number: a folder
 * that others may write to is no place for programs.
 */
export function cacheFolder(name: string, environment: NodeJS.ProcessEnv = process.env): string {
  const cache = environment.XDG_CACHE_HOME;
  if (cache && isAbsolute(cache)) return join(cache, 'densenet', name);
  const home = [homedir, () => userInfo().homedir].map(orNothing).find((path) => path && isAbsolute(path));
  if (home) return join(home, '.cache', 'densenet', name);
  throw new UserError(
    'data',
    'this user has no home folder, and so no cache',
    'Set HOME or XDG_CACHE_HOME to a folder of your own.',
  );
}

/** The system knows no home of a user whom it does not know. */
function orNothing(find: () => string): string | undefined {
  try {
    return find();
  } catch {
    return undefined;
  }
}
