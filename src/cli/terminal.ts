import cliProgress from 'cli-progress';
import { printableLine } from '../util/printable.js';
import type { ProgressBar, Reporter } from '../util/reporter.js';
import { printStream } from './print-stream.js';

export interface TerminalOptions {
  /** Standard output carries one JSON document: news goes to standard error. */
  readonly json?: boolean;
  /** No news, no bars; warnings remain. */
  readonly quiet?: boolean;
}

/** Seconds between the plain lines that stand for a progress bar where there is no terminal. */
const PLAIN_INTERVAL = 10;

/** A reporter that writes to the terminal: bars where a person watches, plain lines in pipes and CI. */
export function terminalReporter(options: TerminalOptions = {}): Reporter {
  const stream = options.json ? process.stderr : printStream();
  const interactive = process.stderr.isTTY && !process.env.CI;
  const line = (text: string) => {
    if (!options.quiet) stream.write(`${printableLine(text)}\n`);
  };
  return {
    line,
    warn: (text) => process.stderr.write(`warning: ${printableLine(text)}\n`),
    bar: (label, total, unit) => {
      if (options.quiet) return { update() {}, finish() {} };
      return interactive ? terminalBar(label, total, unit) : plainBar(label, total, unit, line);
    },
  };
}

type Unit = 'bytes' | 'steps' | 'images';

function amount(value: number, unit: Unit): string {
  return unit === 'bytes' ? `${(value / 1e6).toFixed(1)} MB` : `${value}`;
}

/** The bars on the screen. */
const bars = new Set<cliProgress.SingleBar>();

/** Takes the bars off the screen: the cursor is back, lines wrap. Later updates of them show nothing. */
export function clearBars(): void {
  for (const bar of bars) bar.stop();
  bars.clear();
}

function terminalBar(label: string, total: number, unit: Unit): ProgressBar {
  const bar = new cliProgress.SingleBar(
    {
      format: `${printableLine(label)} {bar} {done}/{all} · {eta_formatted} left{note}`,
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      etaBuffer: 50,
      stream: process.stderr,
      gracefulExit: false,
    },
    cliProgress.Presets.shades_classic,
  );
  bars.add(bar);
  bar.start(total, 0, { done: amount(0, unit), all: amount(total, unit), note: '' });
  return {
    update: (value, note) =>
      bar.update(value, { done: amount(value, unit), note: note ? ` · ${printableLine(note)}` : '' }),
    finish: () => {
      bar.stop();
      bars.delete(bar);
    },
  };
}

function plainBar(label: string, total: number, unit: Unit, line: (text: string) => void): ProgressBar {
  let last = Date.now();
  return {
    update: (value, note) => {
      if (Date.now() - last < PLAIN_INTERVAL * 1000) return;
      last = Date.now();
      const percent = total > 0 ? ` (${Math.floor((100 * value) / total)} %)` : '';
      line(`${label} ${amount(value, unit)}/${amount(total, unit)}${percent}${note ? ` · ${note}` : ''}`);
    },
    finish() {},
  };
}
