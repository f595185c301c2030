import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../../util/cache.js';
import { atHome } from '../../util/home.js';
import type { DatasetDefinition } from '../dataset.js';

/** The repository's `datasets/`, seen from `src/datasets/files/` and from `dist/datasets/files/`. */
const SHIPPED = fileURLToPath(new URL('../../../datasets', import.meta.url));

/**
 * The folder that holds all datasets: `--data`, else `DENSENET_DATA`, else `densenet/data` in the person's
 * cache folder (`XDG_CACHE_HOME`, else `~/.cache`). Absolute.
 */
export function dataFolder(option?: string): string {
  const chosen = option ?? process.env.DENSENET_DATA;
  if (chosen) return resolve(atHome(chosen));
  return cacheFolder('data');
}

/** Where the data files of one dataset lie: a folder of its own in `folder`, or in the repository. */
export function datasetFolder(definition: DatasetDefinition, folder: string): string {
  return join(definition.origin === 'shipped' ? SHIPPED : folder, definition.name);
}
