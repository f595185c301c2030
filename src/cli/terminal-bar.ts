import { formatDuration } from '../util/format.js';
import { printableLine } from '../util/printable.js';
import type { ProgressBar } from '../util/reporter.js';
import { barLine } from './bar-line.js';

/** Milliseconds between two drawings of a bar. */
const INTERVAL = 100;

/** Updates that the time left is computed from. */
const RECENT = 50;

/** What a terminal is told: erase from the cursor to the end; hide the cursor, and cut lines; undo that. */
const ERASE = '\x1b[J';
const BEGIN = '\x1b[?25l\x1b[?7l';
const END = '\x1b[?25h\x1b[?7h';

/** The bars on the screen. */
const bars = new Set<TerminalBar>();

/** Takes the bars off the screen: the cursor is back, lines wrap. Later updates of them show nothing. */
export function clearBars(): void {
  for (const bar of bars) bar.finish();
}

/** Makes room for a line; the bars come back below it. */
export function eraseBars(): void {
  for (const bar of bars) bar.erase();
}

/**
 * A bar on the last line of a terminal, by standard error. The cursor waits at its beginning, so that all of it is
 * erased also where the terminal has become narrower and has wrapped it.
 */
export class TerminalBar implements ProgressBar {
  private value = 0;
  private notes: readonly string[] = [];
  private recent = [{ value: 0, time: performance.now() }];
  private drawn = '';
  private drawnAt = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly label: string,
    private readonly total: number,
    private readonly amount: (value: number) => string,
  ) {
    process.stderr.write(BEGIN);
    bars.add(this);
    this.draw();
    // Also when nothing is updated: the terminal may have another width.
    this.timer = setInterval(() => this.draw(), INTERVAL).unref();
  }

  update(value: number, notes: readonly string[] = []): void {
    this.value = value;
    this.notes = notes;
    this.recent = [...this.recent.slice(-RECENT), { value, time: performance.now() }];
    if (performance.now() - this.drawnAt >= INTERVAL) this.draw();
  }

  finish(): void {
    if (!bars.delete(this)) return;
    clearInterval(this.timer);
    process.stderr.write(ERASE + END);
  }

  erase(): void {
    process.stderr.write(ERASE);
    this.drawn = '';
  }

  private draw(): void {
    if (!bars.has(this)) return;
    this.drawnAt = performance.now();
    const state = {
      label: printableLine(this.label),
      done: this.total > 0 ? this.value / this.total : 1,
      count: `${this.amount(this.value)}/${this.amount(this.total)}`,
      left: this.left(),
      notes: this.notes.map(printableLine),
    };
    // In its last column, a terminal may have begun the next line.
    const line = barLine(state, (process.stderr.columns || 80) - 1);
    if (line === this.drawn) return;
    process.stderr.write(`${ERASE}${line}\r`);
    this.drawn = line;
  }

  private left(): string | undefined {
    const [first, last] = [this.recent[0]!, this.recent.at(-1)!];
    const seconds =
      ((this.total - last.value) * (last.time - first.time)) / (last.value - first.value) / 1000;
    return Number.isFinite(seconds) && seconds >= 0 ? `${formatDuration(seconds)} left` : undefined;
  }
}
