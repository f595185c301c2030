import { readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode, UserError } from '../util/errors.js';
import { cannotWrite } from '../util/files.js';
import { isDead, ownerName } from '../util/owner.js';
import type { RunFolder } from './run-folder.js';
import { readRunRecord } from './run-records.js';

/**
 * Claims a run for this process until result.json says that it runs: of two that resume it at once, one goes on.
 * Returns what gives the claim back. Throws a UserError: usage if another process trains the run or has claimed it,
 * data if its folder cannot be written.
 *
 * The claim is a symbolic link to the owner's name, which is made at once with its content. A dead owner's is removed;
 * of two that remove one in the same moment both may go on.
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
  let held = true;
  const release = async () => {
    if (held) await rm(path, { force: true });
    held = false;
  };
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
    throw cannotWrite(path, error);
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
