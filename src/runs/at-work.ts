import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { liveness, type Owner, thisProcess } from '../util/owner.js';
import type { RunEnvironment } from './environment.js';
import type { RunResult } from './result.js';
import type { RunFolder } from './run-folder.js';

/**
 * Milliseconds without a written or touched file after which a run counts as killed whose process cannot be seen, such
 * as one of another host. A living one gives a sign of life twice a minute (`heartbeat`); the rest is for network file
 * systems that show it late, and for clocks that differ.
 */
export const SILENCE = 10 * 60_000;

/** A process that trains a run, or may. */
export interface AtWork {
  /** Undefined where the run's files do not name it. */
  readonly owner: Owner | undefined;
  /** Whether it was seen alive; otherwise only the age of its files speaks for it. */
  readonly seen: boolean;
  /** Milliseconds since a file of the run was written. */
  readonly silent: number;
}

/** Who trains a run that does not say that it ended; undefined if nobody does. */
export function whoTrains(
  folder: RunFolder,
  environment: RunEnvironment | undefined,
  result: RunResult | undefined,
): AtWork | undefined {
  // Training writes both before anything else: where neither can be read, they are damaged, and claims must do.
  if (environment === undefined && result === undefined) return undefined;
  const owner = result?.process ?? ownerIn(environment);
  const silent = silence(folder);
  const state = owner ? stateOf(owner) : 'unknown';
  if (state === 'dead' || (state === 'unknown' && silent >= SILENCE)) return undefined;
  return { owner, seen: state === 'alive', silent };
}

function ownerIn(environment: RunEnvironment | undefined): Owner | undefined {
  const latest = environment?.resumed.at(-1) ?? environment;
  return latest?.pid === undefined
    ? undefined
    : { host: latest.host, pid: latest.pid, start: latest.processStart };
}

/** Runs of earlier versions do not say when their process began: then it must at least look like this program. */
function stateOf(owner: Owner) {
  const state = liveness(owner);
  if (state !== 'unknown' || owner.start !== undefined || owner.host !== thisProcess().host) return state;
  return owner.pid !== process.pid && isOurProgram(owner.pid) ? 'alive' : 'dead';
}

function isOurProgram(pid: number): boolean {
  const commandLine = `/proc/${pid}/cmdline`;
  if (!existsSync(commandLine)) return true;
  const words = readFileSync(commandLine, 'utf8').split('\0');
  return /^node\b/.test(basename(words[0]!)) && words.some((word) => basename(word) === 'densenet');
}

function silence(folder: RunFolder): number {
  const all = [folder.environment, folder.result, folder.epochs, folder.checkpoint('last')];
  return Date.now() - Math.max(...all.map(writtenAt));
}

/** 0 where there is no file that can be looked at. */
function writtenAt(file: string): number {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}
