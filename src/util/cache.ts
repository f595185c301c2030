import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * A folder of this program in the person's cache: `$XDG_CACHE_HOME/densenet/<name>`, else `~/.cache/densenet/<name>`.
 */
export function cacheFolder(name: string, environment: NodeJS.ProcessEnv = process.env): string {
  const cache = environment.XDG_CACHE_HOME;
  return join(cache && isAbsolute(cache) ? cache : join(homedir(), '.cache'), 'densenet', name);
}
