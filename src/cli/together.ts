import { setTimeout } from 'node:timers/promises';
import { ALONE, type Group } from '../mpi/group.js';
import { withGroup } from '../mpi/join.js';
import type { Place } from '../mpi/place.js';
import type { Loss } from '../mpi/processes.js';
import { EXIT, UserError } from '../util/errors.js';
import { type Reporter, silent } from '../util/reporter.js';
import { stopInOrder } from './interrupt.js';
import { machineFailure } from './machine-failure.js';
import { printError } from './print.js';

/** Who does the work of a command, and when it is to stop. */
export interface Crew {
  readonly group: Group;
  /** Aborted where this process is asked to stop. */
  readonly signal: AbortSignal;
}

/** Milliseconds for which processes that say nothing wait for the one that does: launchers then end all at once. */
const SAID = 1000;

/** One process, which the first signal stops in order. */
export function oneProcess(reporter: Reporter, notice: string): Crew {
  return { signal: stopInOrder(reporter, notice), group: ALONE };
}

/**
 * Lets `use` work as one of several processes. The first alone prints, and what one throws it prints for all; all end
 * with its exit code.
 */
export async function severalProcesses(
  here: Place,
  { setup, reporter, notice }: { setup: boolean; reporter: Reporter; notice: string },
  use: (crew: Crew, reporter: Reporter) => Promise<void>,
): Promise<void> {
  const speaks = here.rank === 0;
  let joined: Group | undefined;
  let lost = (): Loss | undefined => undefined;
  const onLost = async (loss: Loss) => {
    if (loss.speaks) printError(loss.error);
    else await setTimeout(SAID);
    loss.end(loss.error.exitCode);
  };
  const signal = stopInOrder(
    {
      ...reporter,
      warn: (text) => {
        // The launcher ends all where one has ended.
        const loss = lost();
        if (loss) void onLost(loss);
        else if (speaks) reporter.warn(text);
      },
    },
    notice,
  );
  const options = { setup, reporter: speaks ? reporter : silent, signal, onLost };
  let code: number = EXIT.ok;
  try {
    await withGroup(here, options, async (group, tools) => {
      joined = group;
      lost = tools.lost;
      // Several may meet the same fault, which is said once.
      await use({ group, signal }, { ...(speaks ? reporter : silent), warn: tools.warn }).catch(
        (error: unknown) => {
          // The others hear a text, from which nothing could be told.
          throw machineFailure(error) ?? error;
        },
      );
      code = await group.share(Number(process.exitCode ?? EXIT.ok));
    });
    // A signal that came when there was nothing left to stop says nothing of how it ended.
    process.exitCode = code;
  } catch (error) {
    const says = joined ? speaks : (here.localRank ?? 0) === 0;
    if (says) throw error;
    await setTimeout(SAID);
    process.exitCode = exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof UserError) return error.exitCode;
  if (error instanceof Error && error.name === 'AbortError')
    return Number(process.exitCode ?? EXIT.interrupted);
  return 1;
}
