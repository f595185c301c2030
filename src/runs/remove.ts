import { lstat, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { diskError } from '../util/disk-errors.js';
import { UserError } from '../util/errors.js';
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
  for (const { path, name } of folders) {
    if (!(await lstat(path)).isSymbolicLink()) continue;
    throw new UserError(
      'usage',
      `${name} is a link`,
      'Remove the link, or the run in the folder that it names.',
    );
  }
  const claims: Claim[] = [];
  try {
    for (const folder of folders) claims.push(await claimRun(folder, options));
    const aside: string[] = [];
    try {
      for (const { path, name } of folders) {
        const away = join(dirname(path), `${REMOVED}${++removed}-${ownerName(process.pid)}`);
        await rename(path, away).catch((error: unknown) => {
          throw diskError(error, `cannot remove the run ${name}`, 'leave it to whom it belongs');
        });
        aside.push(away);
      }
    } finally {
      for (const away of aside) await removeFiles(away);
    }
  } finally {
    for (const claim of claims) await claim.release();
  }
}

async function removeFiles(path: string): Promise<void> {
  await rm(path, { recursive: true }).catch((error: unknown) => {
    throw diskError(error, `the run is removed, but some of its files are left in ${path}`, 'remove them');
  });
}
