import { EXIT } from '../util/errors.js';
import type { Reporter } from '../util/reporter.js';
import { END_SIGNALS } from '../util/signals.js';
import { clearBars } from './terminal-bar.js';

/** Of work that ended in order. A scheduler's warning is no end: the run is to be resumed. */
const CODES: Partial<Record<NodeJS.Signals, number>> = {
  SIGINT: EXIT.interrupted,
  SIGUSR1: EXIT.unfinished,
  SIGUSR2: EXIT.unfinished,
  SIGXCPU: EXIT.unfinished,
};

/** What insists on the end when it comes again. Others warn of it, or leave nobody behind who could insist. */
const INSISTING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];

/**
 * Milliseconds in which a repeated signal is the same wish: `timeout` sends one to the program and one to its process
 * group, of which it is a part.
 */
const SAME_WISH = 1000;

/** Work that ends in order at the first signal. */
interface Stoppable {
  readonly controller: AbortController;
  readonly reporter: Reporter;
  readonly notice: string;
  readonly endAtOnce: (() => void) | undefined;
}

let work: Stoppable | undefined;
/** When the end was first asked for by a signal that can insist. */
let askedAt: number | undefined;

/**
 * Takes over every signal that asks the program to end; the exit code, as shells tell it, is then 130 for Ctrl-C
 * (SIGINT) and 143 for others; 75 where work has ended in order after a scheduler's warning. The terminal is left as
 * it was. Work that can be stopped in order says so with `stopInOrder`; all else ends at once.
 */
export function handleSignals(): void {
  for (const signal of END_SIGNALS) {
    const earlier = process.listeners(signal);
    process.on(signal, handle);
    for (const listener of earlier) process.off(signal, listener);
  }
}

/**
 * From now on the first signal says `notice` and aborts the signal that is returned, and a second Ctrl-C or SIGTERM
 * ends the work at once: the process, where nothing else is given.
 */
export function stopInOrder(reporter: Reporter, notice: string, endAtOnce?: () => void): AbortSignal {
  const controller = new AbortController();
  work = { controller, reporter, notice, endAtOnce };
  return controller.signal;
}

function handle(signal: NodeJS.Signals): void {
  const insisting = INSISTING.includes(signal);
  const first = askedAt;
  if (insisting) askedAt ??= performance.now();
  if (work?.controller.signal.aborted) {
    if (!insisting || first === undefined || performance.now() - first < SAME_WISH) return;
    clearBars();
    if (work.endAtOnce) work.endAtOnce();
    else endProcess(signal);
    return;
  }
  clearBars();
  if (!work) {
    endProcess(signal);
    return;
  }
  process.exitCode = CODES[signal] ?? EXIT.terminated;
  work.reporter.warn(work.notice);
  work.controller.abort();
}

/**
 * By the signal itself: `process.exit` would wait for the step that other threads are at. A container's first process
 * cannot: the system ignores a signal that process 1 does not handle.
 */
function endProcess(signal: NodeJS.Signals): void {
  const fatal = signal === 'SIGINT' ? signal : 'SIGTERM';
  if (process.pid === 1) process.exit(signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated);
  process.removeAllListeners(fatal);
  process.kill(process.pid, fatal);
}
