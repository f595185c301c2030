import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemCode } from './errors.js';

/** The namespace of process ids that every Linux system begins with (PROC_PID_INIT_INO). */
const FIRST_NAMESPACE = 'pid:[4026531836]';

/**
 * This host, as far as process ids go: a container that counts its own processes has the namespace behind the name,
 * `host#4026532211`, also where it shares the name with its host.
 */
export function hostIn(namespace: string | undefined): string {
  const number = namespace === FIRST_NAMESPACE ? undefined : namespace?.match(/\d+/)?.[0];
  return number === undefined ? hostname() : `${hostname()}#${number}`;
}

function namespaceOfIds(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return undefined;
  }
}

const HOST = hostIn(namespaceOfIds());

/** A process: its id on its host, and when it began, so that a later one with the same id is not taken for it. */
export interface Owner {
  /** As `hostIn` says it. */
  readonly host: string;
  readonly pid: number;
  /** A number that only grows: on Linux in clock ticks since the start of the system, elsewhere in seconds. */
  readonly start?: number | undefined;
}

export type Liveness = 'alive' | 'dead' | 'unknown';

/** This process. */
export function thisProcess(): Owner {
  return parseOwner(ownerName(process.pid))!;
}

/** How a process of this host is named in locks, temporary files and workspaces: `123.45678@host`. */
export function ownerName(pid: number): string {
  const start = startOf(pid);
  return `${pid}${typeof start === 'number' ? `.${start}` : ''}@${HOST}`;
}

/** What `ownerName` wrote; earlier versions did without the start. Undefined for other texts. */
export function parseOwner(text: string): Owner | undefined {
  const [, pid, start, host] = /^(\d+)(?:\.(\d+))?@(.+)$/s.exec(text) ?? [];
  if (pid === undefined || host === undefined) return undefined;
  return { host, pid: Number(pid), start: start === undefined ? undefined : Number(start) };
}

/** The name that people know it by. */
export function shownHost(host: string): string {
  return host.replace(/#\d+$/, '');
}

/** The owner as people read it: `123@host`. */
export function shownOwner(name: string): string {
  const owner = parseOwner(name);
  return owner ? `${owner.pid}@${shownHost(owner.host)}` : name;
}

/**
 * Whether a process lives. Of one on another host this cannot be known; nor of one whose start was not noted, or is
 * hidden from this person.
 */
export function liveness({ host, pid, start }: Owner): Liveness {
  if (host !== HOST) return 'unknown';
  if (!exists(pid)) return 'dead';
  const now = startOf(pid);
  if (now === 'ended') return 'dead';
  if (start === undefined || now === undefined) return 'unknown';
  return now === start ? 'alive' : 'dead';
}

/** Whether the named owner may be a running process of this host. */
export function isRunningHere(name: string): boolean {
  const owner = parseOwner(name);
  return owner?.host === HOST && liveness(owner) !== 'dead';
}

/** Whether the named owner is certainly gone. */
export function isDead(name: string): boolean {
  const owner = parseOwner(name);
  return owner !== undefined && liveness(owner) === 'dead';
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

/** When a process began; `ended` for a zombie; undefined if the system does not tell. */
function startOf(pid: number): number | 'ended' | undefined {
  try {
    if (!existsSync('/proc/self/stat')) return startFromPs(pid);
    // The name in parentheses may hold spaces and parentheses. Behind it stand the state and, 19 further, the start.
    const values = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ');
    return values[0] === 'Z' || values[0] === 'X' ? 'ended' : Number(values[19]);
  } catch {
    return undefined;
  }
}

function startFromPs(pid: number): number | undefined {
  const text = execFileSync('ps', ['-o', 'lstart=', '-p', `${pid}`], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time / 1000;
}
