import cliProgress from 'cli-progress';
import { formatDuration } from '../util/format.js';
import { printableLine } from '../util/printable.js';
import type { ProgressBar } from '../util/reporter.js';
import { barLine } from './bar-line.js';

const write = (text: string): void => {
  process.stderr.write(text);
};

/** Erases from the cursor to the end. */
const ERASE = '\x1b[J';

/**
 * The terminal as cli-progress sees it. The cursor waits at the beginning of the bar, so that all of it is erased also
 * where the terminal has become narrower and has wrapped it.
 */
const SCREEN = {
  isTTY: () => true,
  getWidth: () => process.stderr.columns || 80,
  write: (line: string) => write(`${ERASE}${line}\r`),
  clearLine: () => write(ERASE),
  cursor: (shown: boolean) => write(shown ? '\x1b[?25h' : '\x1b[?25l'),
  lineWrapping: (on: boolean) => write(on ? '\x1b[?7h' : '\x1b[?7l'),
  cursorSave() {},
  cursorRestore() {},
  cursorTo() {},
  clearRight() {},
};

const OPTIONS = {
  terminal: SCREEN,
  hideCursor: true,
  clearOnComplete: true,
  etaBuffer: 50,
  // What was erased comes back, and a terminal of another width is filled, though nothing has been updated.
  forceRedraw: true,
};

/** The bars on the screen. */
const bars = new Set<cliProgress.SingleBar>();

/** Takes the bars off the screen: the cursor is back, lines wrap. Later updates of them show nothing. */
export function clearBars(): void {
  for (const bar of bars) bar.stop();
  bars.clear();
}

/** Makes room for a line; the bars come back below it. */
export function eraseBars(): void {
  if (bars.size > 0) write(ERASE);
}

/** A bar on the last line of a terminal, by standard error. */
export function terminalBar(label: string, total: number, amount: (value: number) => string): ProgressBar {
  const format: cliProgress.GenericFormatter = (_, { progress, value, eta, maxWidth }, { notes }) => {
    const state = {
      label: printableLine(label),
      done: progress,
      count: `${amount(value)}/${amount(total)}`,
      // While it cannot be known, it is a word.
      left: typeof eta === 'number' ? `${formatDuration(eta)} left` : undefined,
      notes: notes.map(printableLine),
    };
    // In its last column, a terminal may have begun the next line.
    return barLine(state, maxWidth - 1);
  };
  const bar = new cliProgress.SingleBar({ ...OPTIONS, format });
  bars.add(bar);
  bar.start(total, 0, { notes: [] });
  return {
    update: (value, notes = []) => bar.update(value, { notes }),
    finish: () => {
      bar.stop();
      bars.delete(bar);
    },
  };
}
