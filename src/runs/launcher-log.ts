import { existsSync } from 'node:fs';
import { link, symlink } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { atHome } from '../util/home.js';
import type { RunFolder } from './run-folder.js';

/**
 * Gives the file that a launcher collects this process's output in, named by `DENSENET_LOG`, a second name in the run's
 * folder; a symbolic link where the file system knows one name only. Of a log there is nothing to fail for.
 */
export async function linkLog(folder: RunFolder): Promise<void> {
  const log = atHome(process.env.DENSENET_LOG ?? '');
  if (!log || !existsSync(log)) return;
  const path = join(folder.path, basename(log));
  // A task that is queued again goes on in the same file.
  if (existsSync(path)) return;
  await link(log, path)
    .catch(() => symlink(relative(folder.path, resolve(log)), path))
    .catch(() => {});
}
