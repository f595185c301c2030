import { hostname } from 'node:os';
import { systemCode } from './errors.js';

/** How a process is named in locks and workspaces. */
export function ownerName(pid: number): string {
  return `${pid}@${hostname()}`;
}

/** Whether the owner is a running process of this host. */
export function isRunningHere(owner: string): boolean {
  const pid = Number.parseInt(owner, 10);
  if (owner !== ownerName(pid)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

/** Whether the owner is certainly gone. Of other hosts' processes this cannot be known. */
export function isDead(owner: string): boolean {
  return owner.endsWith(`@${hostname()}`) && !isRunningHere(owner);
}
