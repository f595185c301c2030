import { shortenTo, textWidth } from '../util/text-table.js';

/** What a progress bar says. */
export interface BarState {
  readonly label: string;
  /** From 0 to 1. */
  readonly done: number;
  /** `12/300` */
  readonly count: string;
  /** `20 s left`; undefined while nobody knows. */
  readonly left: string | undefined;
  /** The most important first. */
  readonly notes: readonly string[];
}

/** Columns of the bar itself. */
const BAR = { least: 8, most: 24 };

/** Notes that are more important than the bar. */
const IMPORTANT = 2;

/** A progress bar in `width` columns of a terminal: as much of it as there is room for, in order of importance. */
export function barLine({ label, done, count, left, notes }: BarState, width: number): string {
  const title = shortenTo(label, Math.max(0, width - count.length - 1));
  let room = width - textWidth(title) - 1 - textWidth(count);
  const takes = (columns: number) => {
    if (columns > room) return false;
    room -= columns;
    return true;
  };
  const fits = (note: string) => takes(3 + textWidth(note));
  const first = notes.slice(0, IMPORTANT).filter(fits);
  const bar = takes(BAR.least + 1);
  const time = left !== undefined && fits(left) ? [left] : [];
  const more = notes.slice(IMPORTANT).filter(fits);
  const drawn = bar ? [drawBar(done, Math.min(BAR.most, BAR.least + room))] : [];
  return shortenTo([[title, ...drawn, count].join(' '), ...time, ...first, ...more].join(' · '), width);
}

function drawBar(done: number, columns: number): string {
  const full = Math.round(Math.min(1, Math.max(0, done)) * columns);
  return '█'.repeat(full) + '░'.repeat(columns - full);
}
