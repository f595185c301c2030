import { lstat, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCode, UserError } from '../util/errors.js';
import { cannotWrite, makeFolder } from '../util/files.js';
import { formatDuration } from '../util/format.js';
import { liveness, type Owner, ownerName, parseOwner, shownHost, thisProcess } from '../util/owner.js';
import { makeOwnerFile, NAMELESS, readOwnerFile } from '../util/owner-file.js';
import { type AtWork, SILENCE } from './at-work.js';
import { experimentFolder, RESULTS_REMEDY } from './folders.js';
import { heartbeat } from './heartbeat.js';
import type { RunResult } from './result.js';
import type { RunFolder } from './run-folder.js';
import { readRunRecord } from './run-records.js';
import { type WantedRun, wantedKey } from './run-state.js';

export interface ClaimOptions {
  /** `--take-over`: the process that may train the run, and cannot be seen from here, is gone. */
  readonly takeOver: boolean;
}

/** That another process trains a run, or has claimed it. */
export class BusyError extends UserError {}

/** That this process alone may begin to train a run. */
export interface Claim {
  /** Throws a BusyError if another process has taken the claim from this one. */
  confirm(): Promise<void>;
  /** For when result.json says that the run is running. */
  release(): Promise<void>;
}

/**
 * Lets `use` work with a run that no other process trains: of two that resume it at once, one goes on. Throws a
 * BusyError if another process trains the run or has claimed it, a UserError (data) if its folder cannot be written.
 */
export async function claimed<T>(
  folder: RunFolder,
  options: ClaimOptions,
  use: (claim: Claim) => Promise<T>,
): Promise<T> {
  const claim = await claimRun(folder, options);
  try {
    return await use(claim);
  } finally {
    await claim.release();
  }
}

/** Claims a run for this process. */
export async function claimRun(
  folder: RunFolder,
  { takeOver }: ClaimOptions = { takeOver: false },
): Promise<Claim> {
  const claim = await claimPath(claimOf(folder), `the run ${folder.name}`, takeOver);
  const { atWork } = readRunRecord(folder);
  if (!atWork || (!atWork.seen && takeOver)) return claim;
  await claim.release();
  throw busy(`the run ${folder.name}`, atWork);
}

function claimOf({ path }: RunFolder): string {
  return join(path, 'resuming');
}

/** Whether a process has claimed a run, and does not train it yet. */
export async function isClaimed(folder: RunFolder): Promise<boolean> {
  return (await holderOf(claimOf(folder))) !== undefined;
}

/**
 * Claims the beginning of a run that is not on the disk yet: of two that would start it at once, one does. Throws a
 * BusyError if another process has claimed it, a UserError (data) if the folder of results cannot be written.
 */
export async function claimStart(
  resultsFolder: string,
  wanted: WantedRun,
  { takeOver }: ClaimOptions = { takeOver: false },
): Promise<Claim> {
  const { name, training } = wanted.experiment;
  const folder = experimentFolder(resultsFolder, name);
  await makeFolder(folder, RESULTS_REMEDY);
  const path = join(folder, `.starting-${wantedKey(wanted)}`);
  return claimPath(path, `${name} seed ${training.seed}`, takeOver);
}

/**
 * Throws a BusyError if result.json no longer says that this process trains the run: another has taken it over, as from
 * a process that was suspended for long.
 */
export function checkOwner(folder: RunFolder): void {
  const { status, process } = readable(folder) ?? { status: 'running', process: thisProcess() };
  if (status === 'running' && process && isSame(process, thisProcess())) return;
  throw new BusyError(
    'usage',
    `the run ${folder.name} was taken over by ${process ? shown(process) : 'a process that has ended'}`,
    'Nothing is lost: it was resumed from its last checkpoint, and comes to the same bits.',
  );
}

/** Where the system does not tell when processes began, `start` is undefined or missing. */
function isSame(a: Owner, b: Owner): boolean {
  return a.host === b.host && a.pid === b.pid && a.start === b.start;
}

function readable(folder: RunFolder): RunResult | undefined {
  try {
    return folder.readResult();
  } catch {
    return undefined;
  }
}

function shown({ pid, host }: Owner): string {
  return `process ${pid} on ${shownHost(host)}`;
}

/**
 * A claim is a symbolic link to the owner's name, which is made at once with its content, on network file systems too;
 * where the file system has no such links, a file with the name in it. A dead owner's is removed; of two that remove
 * one in the same moment both may have it, until they confirm it.
 */
async function claimPath(path: string, what: string, takeOver: boolean): Promise<Claim> {
  const own = ownerName(process.pid);
  while (!(await makeClaim(own, path))) {
    const holder = await holderOf(path);
    if (holder === undefined) continue;
    const { name, owner, silent } = holder;
    // Earlier versions did not note when a process began; in a container this one may have the dead one's number.
    const mine = name === own || (owner?.start === undefined && owner?.pid === process.pid);
    const state = mine ? 'dead' : owner ? liveness(owner) : 'unknown';
    const gone = name === '' || state === 'dead' || (state === 'unknown' && (takeOver || silent >= SILENCE));
    if (!gone) throw busy(what, { owner, seen: state === 'alive', silent });
    await rm(path, { force: true });
  }
  const stopBeating = heartbeat(path);
  let held = true;
  return {
    confirm: async () => {
      const holder = await holderOf(path);
      if (holder?.name === own) return;
      held = false;
      throw busy(what, { owner: holder?.owner, seen: false, silent: holder?.silent ?? 0 });
    },
    release: async () => {
      stopBeating();
      if (held) await rm(path, { force: true });
      held = false;
    },
  };
}

/** Who holds a claim, and for how many milliseconds it gave no sign of life; undefined if nobody does. */
async function holderOf(path: string) {
  const name = await nameIn(path);
  if (name === undefined) return undefined;
  const { mtimeMs } = await lstat(path).catch(() => ({ mtimeMs: Date.now() }));
  return { name, owner: parseOwner(name), silent: Date.now() - mtimeMs };
}

function busy(what: string, { owner, seen, silent }: AtWork): BusyError {
  const process = owner ? shown(owner) : 'a process';
  if (seen) {
    return new BusyError(
      'usage',
      `${what} is being trained by a process that is still alive: ${process}`,
      `Wait for it, or stop it first: kill -INT ${owner?.pid}`,
    );
  }
  const unseen = `${what} may still be trained by ${process}, which cannot be seen from here`;
  const seconds = formatDuration(Math.abs(silent) / 1000);
  // Of clocks that differ, as of two hosts, or of one that was set back, nobody knows which is right.
  if (silent < -1000) {
    return new BusyError(
      'usage',
      `${unseen}; its files are dated ${seconds} later than this machine's clock`,
      'If it is gone, say so with --take-over.',
    );
  }
  return new BusyError(
    'usage',
    `${unseen}; its files changed ${seconds} ago`,
    'If it is gone, say so with --take-over. After ten minutes without a change it counts as gone.',
  );
}

/** Returns whether it was made; false where there is one. */
async function makeClaim(owner: string, path: string): Promise<boolean> {
  try {
    await symlink(owner, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
  }
  try {
    return await makeOwnerFile(path);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/** The name in a claim, empty if its process was killed before it could write it; undefined where there is none. */
async function nameIn(path: string): Promise<string | undefined> {
  const until = performance.now() + NAMELESS;
  for (;;) {
    const name = await readName(path);
    if (name !== '' || performance.now() > until) return name;
    await sleep(NAMELESS / 20);
  }
}

async function readName(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    // It is a file.
    if (systemCode(error) === 'EINVAL') return readOwnerFile(path);
    throw error;
  }
}
