import { existsSync } from 'node:fs';
import { readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../util/errors.js';
import { makeFolders } from '../../util/files.js';
import { isDead, isRunningHere, ownerName } from '../../util/owner.js';

const INCOMING = '.incoming';

/**
 * Opens a folder of this process's own for files that are not whole yet, on the file system of `folder`.
 * Takes over the workspace of a process that died, with its partial downloads, and removes further such.
 * Call it with the fetch lock held: then the owners on other hosts are gone, too.
 * @returns its path. A later call of the same process finds it again.
 */
export async function openWorkspace(folder: string): Promise<string> {
  const incoming = join(folder, INCOMING);
  const own = join(incoming, ownerName(process.pid));
  await makeFolders(incoming);
  for (const name of await readdir(incoming)) {
    if (!isRunningHere(name) && !(await takeOver(join(incoming, name), own))) {
      await rm(join(incoming, name), { recursive: true, force: true });
    }
  }
  await makeFolders(own);
  return own;
}

/** Removes the workspaces of processes that died. */
export async function removeDeadWorkspaces(folder: string): Promise<void> {
  const incoming = join(folder, INCOMING);
  if (!existsSync(incoming)) return;
  for (const name of await readdir(incoming)) {
    if (isDead(name)) await rm(join(incoming, name), { recursive: true, force: true });
  }
  await removeIfEmpty(incoming);
}

/** Renaming a folder is atomic: of two processes that try, one succeeds. Fails where `own` has files already. */
async function takeOver(orphan: string, own: string): Promise<boolean> {
  try {
    await rename(orphan, own);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
}

/** Removes the workspace; and the folder around it unless other processes have theirs in it. */
export async function closeWorkspace(folder: string, workspace: string): Promise<void> {
  await rm(workspace, { recursive: true, force: true });
  await removeIfEmpty(join(folder, INCOMING));
}

async function removeIfEmpty(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(systemCode(error) ?? '')) throw error;
  }
}
