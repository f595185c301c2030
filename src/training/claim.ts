import { readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunFolder } from '../results/run-folder.js';
import { readRunRecord } from '../results/run-records.js';
import { systemCode, UserError } from '../util/errors.js';
import { isDead, ownerName } from '../util/owner.js';

/**
 * Claims a run for this process until environment.json names it: of several that resume a run at once, one goes on.
 * Returns what gives the claim back. Throws a UserError (usage) if another process trains the run or has claimed it.
 *
 * The claim is a symbolic link to the owner's name: made at once with its content, on every file system of a cluster.
 */
export async function claimRun(folder: RunFolder): Promise<() => Promise<void>> {
  const path = join(folder.path, 'resuming');
  const own = ownerName(process.pid);
  while (!(await makeLink(own, path))) {
    const owner = await readLink(path);
    if (owner === undefined) continue;
    // In a container this process may have the number that the dead one had.
    if (owner !== own && !isDead(owner)) {
      throw busy(folder, `Wait for process ${owner}. If there is none, remove ${path}.`);
    }
    await rm(path, { force: true });
  }
  const release = () => rm(path, { force: true });
  if ((await readRunRecord(folder)).status !== 'running') return release;
  await release();
  throw busy(folder, 'Wait for it, or stop it with Ctrl-C first.');
}

function busy(folder: RunFolder, remedy: string): UserError {
  const message = `the run ${folder.name} is being trained by a process that is still alive`;
  return new UserError('usage', message, remedy);
}

async function makeLink(target: string, path: string): Promise<boolean> {
  try {
    await symlink(target, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function readLink(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
