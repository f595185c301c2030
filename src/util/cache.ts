import { isAbsolute, join } from 'node:path';
import { UserError } from './errors.js';
import { atHome, homeFolder } from './home.js';

/**
 * A folder of this program in the person's cache: `$XDG_CACHE_HOME/densenet/<name>`, else `~/.cache/densenet/<name>`.
 * Throws a UserError (data) for someone without a home, as in a container that gives its user a bare number: a folder
 * that others may write to is no place for programs.
 */
export function cacheFolder(name: string, environment: NodeJS.ProcessEnv = process.env): string {
  const cache = atHome(environment.XDG_CACHE_HOME ?? '');
  if (isAbsolute(cache)) return join(cache, 'densenet', name);
  const home = homeFolder();
  if (home) return join(home, '.cache', 'densenet', name);
  throw new UserError(
    'data',
    'this user has no home folder, and so no cache',
    'Set HOME or XDG_CACHE_HOME to a folder of your own.',
  );
}
