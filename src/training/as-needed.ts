import { BusyError, type Claim, claimStart } from '../runs/claim.js';
import type { RunFolder } from '../runs/run-folder.js';
import { readRunRecords } from '../runs/run-records.js';
import { hiddenByDamage, runState, type WantedRun } from '../runs/run-state.js';
import { UserError } from '../util/errors.js';

export interface AsNeeded {
  /** Trains the run from its beginning; the claim keeps others from starting it too. */
  start(claim: Claim): Promise<void>;
  goOn(folder: RunFolder): Promise<void>;
  finished(folder: RunFolder): Promise<void>;
}

/**
 * Starts a run, resumes it, or leaves it alone, by what is on the disk: so it may be asked for any number of times, at
 * the same time and on several hosts. Returns why it was left where another process is training it; throws a UserError
 * (diverged, data) where it can neither start nor resume it.
 */
export async function trainAsNeeded(
  wanted: WantedRun,
  { results, takeOver }: { readonly results: string; readonly takeOver: boolean },
  act: AsNeeded,
): Promise<BusyError | undefined> {
  const look = async () => runState(wanted, await readRunRecords(results));
  try {
    let state = await look();
    if (state.kind === 'start') {
      const claim = await claimStart(results, wanted, { takeOver });
      try {
        // Another process may have started it just now.
        state = await look();
        if (state.kind === 'start') {
          await act.start(claim);
          return undefined;
        }
      } finally {
        await claim.release();
      }
    }
    const { folder } = state.record;
    if (state.kind === 'diverged') throw divergedBefore(folder);
    if (state.kind === 'damaged') throw hiddenByDamage(state.record);
    await (state.kind === 'finished' ? act.finished(folder) : act.goOn(folder));
    return undefined;
  } catch (error) {
    // Whoever has it may be ended before it is finished.
    if (error instanceof BusyError) return error;
    throw error;
  }
}

function divergedBefore({ name }: RunFolder): UserError {
  return new UserError(
    'diverged',
    `the run ${name} has diverged, and would again`,
    'Change its config, such as training.learningRate.initial; without --auto-resume it is started anew.',
  );
}
