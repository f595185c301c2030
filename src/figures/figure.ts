import type * as Plot from '@observablehq/plot';
import type { SheetRecord } from '../tables/sheet.js';

/** A figure: what is drawn, what it says below, and the points that are drawn. */
export interface Figure {
  /** `figure-5`; names its files. */
  readonly name: string;
  readonly caption: string;
  readonly panels: readonly Panel[];
  readonly legend: readonly LegendEntry[];
  readonly columns: readonly string[];
  readonly points: readonly SheetRecord[];
}

/** One plot of a figure, in pixels. */
export interface Panel {
  readonly title?: string;
  readonly width: number;
  readonly height: number;
  readonly options: Plot.PlotOptions;
}

export interface LegendEntry {
  readonly label: string;
  readonly color: string;
  /** A line, or a point. */
  readonly symbol: 'solid' | 'dashed' | 'point';
}

/** Colours that are told apart on white and on black, also by most who are colour-blind (after Okabe and Ito). */
export const COLORS = ['#2f7fc1', '#d55e00', '#009e73', '#b366a6', '#c99700', '#56b4e9', '#a0522d'] as const;

/** For the paper's points: never that of ours. */
export const PAPER_COLOR = '#8a8a8a';

export function color(index: number): string {
  return COLORS[index % COLORS.length]!;
}

/** Dashes of a line, in pixels. */
export const DASHES = '5,3';
