import { lstat, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode, UserError } from '../util/errors.js';
import { cannotWrite } from '../util/files.js';
import { formatDuration } from '../util/format.js';
import { liveness, ownerName, parseOwner } from '../util/owner.js';
import { type AtWork, SILENCE } from './at-work.js';
import type { RunFolder } from './run-folder.js';
import { readRunRecord } from './run-records.js';

export interface ClaimOptions {
  /** `--take-over`: the process that may train the run, and cannot be seen from here, is gone. */
  readonly takeOver: boolean;
}

/**
 * Lets `use` work with a run that no other process trains: of two that resume it at once, one goes on. `use` is given
 * what releases the claim, for when result.json says that the run is running. Throws a UserError: usage if another
 * process trains the run or has claimed it, data if its folder cannot be written.
 */
export async function claimed<T>(
  folder: RunFolder,
  options: ClaimOptions,
  use: (release: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const release = await claimRun(folder, options);
  try {
    return await use(release);
  } finally {
    await release();
  }
}

/**
 * Claims a run for this process; returns what gives the claim back. The claim is a symbolic link to the owner's name,
 * which is made at once with its content. A dead owner's is removed; of two that remove one in the same moment both may
 * go on.
 */
export async function claimRun(
  folder: RunFolder,
  { takeOver }: ClaimOptions = { takeOver: false },
): Promise<() => Promise<void>> {
  const path = join(folder.path, 'resuming');
  const own = ownerName(process.pid);
  while (!(await makeLink(own, path))) {
    const name = await readLink(path);
    if (name === undefined) continue;
    const owner = parseOwner(name);
    // Earlier versions did not note when a process began; in a container this one may have the dead one's number.
    const mine = name === own || (owner?.start === undefined && owner?.pid === process.pid);
    const state = mine ? 'dead' : owner ? liveness(owner) : 'unknown';
    const silent = Date.now() - (await lstat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    const gone = state === 'dead' || (state === 'unknown' && (takeOver || silent >= SILENCE));
    if (!gone) throw busy(folder, { owner, seen: state === 'alive', silent });
    await rm(path, { force: true });
  }
  let held = true;
  const release = async () => {
    if (held) await rm(path, { force: true });
    held = false;
  };
  const { atWork } = readRunRecord(folder);
  if (!atWork || (!atWork.seen && takeOver)) return release;
  await release();
  throw busy(folder, atWork);
}

function busy({ name }: RunFolder, { owner, seen, silent }: AtWork): UserError {
  const process = owner ? `process ${owner.pid} on ${owner.host}` : 'a process';
  if (seen) {
    return new UserError(
      'usage',
      `the run ${name} is being trained by a process that is still alive: ${process}`,
      `Wait for it, or stop it first: kill -INT ${owner?.pid}`,
    );
  }
  return new UserError(
    'usage',
    `the run ${name} may still be trained by ${process}, which cannot be seen from here; its files changed ${formatDuration(silent / 1000)} ago`,
    `If it is gone, say so with --take-over. After two hours without a change it counts as gone.`,
  );
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
