import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { diskError } from '../util/disk-errors.js';
import { ownerName } from '../util/owner.js';
import { type Claim, type ClaimOptions, claimRun } from './claim.js';
import { REMOVED } from './folders.js';
import type { RunFolder } from './run-folder.js';

/** Folders that this process has removed. */
let removed = 0;

/**
 * Removes the folders of runs. A run disappears whole, by one renaming, before its files are removed; none does if a
 * process trains one of them, which throws a BusyError. Throws a UserError (data) where the disk refuses.
 */
export async function removeRuns(folders: readonly RunFolder[], options: ClaimOptions): Promise<void> {
  const claims: Claim[] = [];
  try {
    for (const folder of folders) claims.push(await claimRun(folder, options));
    for (const { path, name } of folders) {
      const aside = join(dirname(path), `${REMOVED}${++removed}-${ownerName(process.pid)}`);
      try {
        await rename(path, aside);
        await rm(aside, { recursive: true });
      } catch (error) {
        throw diskError(error, `cannot remove the run ${name}`, 'leave it to whom it belongs');
      }
    }
  } finally {
    for (const claim of claims) await claim.release();
  }
}
