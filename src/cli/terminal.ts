import { printableLine } from '../util/printable.js';
import type { ProgressBar, Reporter } from '../util/reporter.js';
import type { TerminalOptions } from './options.js';
import { printStream } from './print-stream.js';
import { eraseBars, terminalBar } from './terminal-bar.js';

/** Seconds between the plain lines that stand for a progress bar where there is no terminal. */
const PLAIN_INTERVAL = 10;

/** A reporter that writes to the terminal: bars where a person watches, plain lines in pipes and CI. */
export function terminalReporter(options: TerminalOptions = {}): Reporter {
  const stream = options.json ? process.stderr : printStream();
  const interactive = process.stderr.isTTY && !process.env.CI && process.env.TERM !== 'dumb';
  const line = (text: string) => {
    if (options.quiet) return;
    eraseBars();
    stream.write(`${printableLine(text)}\n`);
  };
  return {
    line,
    warn: (text) => {
      eraseBars();
      process.stderr.write(`warning: ${printableLine(text)}\n`);
    },
    bar: (label, total, unit) => {
      if (options.quiet) return { update() {}, finish() {} };
      return interactive
        ? terminalBar(label, total, (value) => amount(value, unit))
        : plainBar(label, total, unit, line);
    },
  };
}

type Unit = 'bytes' | 'steps' | 'images';

function amount(value: number, unit: Unit): string {
  return unit === 'bytes' ? `${(value / 1e6).toFixed(1)} MB` : `${value}`;
}

function plainBar(label: string, total: number, unit: Unit, line: (text: string) => void): ProgressBar {
  let last = Date.now();
  return {
    update: (value, notes = []) => {
      if (Date.now() - last < PLAIN_INTERVAL * 1000) return;
      last = Date.now();
      const percent = total > 0 ? ` (${Math.floor((100 * value) / total)} %)` : '';
      line([`${label} ${amount(value, unit)}/${amount(total, unit)}${percent}`, ...notes].join(' · '));
    },
    finish() {},
  };
}
