import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { printableLine } from './printable.js';

export interface TextTable {
  readonly columns: readonly string[];
  /** Columns of numbers, aligned to the right. */
  readonly right: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns to leave out where there is little room, the first to go first. The last ones where it is absent. */
  readonly drop?: readonly string[];
}

export interface FittedTable {
  readonly lines: string[];
  /** Columns that were left out. */
  readonly leftOut: string[];
}

/** Characters between two columns. */
const GAP = 2;

/** Least width of a column of text: with columns left to leave out, without any, and when nothing else helps. */
const LEAST = { usual: 24, small: 12, last: 4 };

/**
 * Lays text out in columns, two spaces apart, in lines of at most `width` characters: columns are left out in order of
 * `drop`, and the text of wide cells goes on below. The first column stays.
 */
export function textTable(table: TextTable, width = Number.POSITIVE_INFINITY): FittedTable {
  const cells = [table.columns, ...table.rows].map((row) => row.map(printableLine));
  const widths = fittedWidths(table, cells, width);
  const kept = [...widths.keys()].sort((a, b) => a - b);
  return {
    lines: cells.flatMap((row) => rowLines(row, kept, widths, table)),
    leftOut: table.columns.filter((_, index) => !widths.has(index)),
  };
}

/** The width of each column that stays, by its index. */
function fittedWidths(
  { columns, right, drop }: TextTable,
  cells: string[][],
  width: number,
): Map<number, number> {
  const natural = columns.map((_, index) => Math.max(...cells.map((row) => textWidth(row[index] ?? ''))));
  const isNumber = columns.map((column) => right.includes(column));
  const kept = new Set(columns.keys());
  const shrunk = (least: (index: number) => number) => {
    const widths = new Map([...kept].map((index) => [index, natural[index]!]));
    for (let over = total(widths) - width; over > 0; over--) {
      const wide = [...widths].filter(([index, own]) => own > least(index));
      if (wide.length === 0) break;
      const [widest, own] = wide.reduce((a, b) => (b[1] > a[1] ? b : a));
      widths.set(widest, own - 1);
    }
    return widths;
  };
  const dropped = (order: readonly number[], least: (index: number) => number) => {
    const fits = () => total(shrunk(least)) <= width;
    for (const index of order) if (!fits()) kept.delete(index);
    return fits() ? shrunk(least) : undefined;
  };
  const lastFirst = [...columns.keys()].slice(2).reverse();
  const named = drop?.map((column) => columns.indexOf(column)).filter((index) => index > 0);
  return (
    dropped(named ?? lastFirst, (index) =>
      index === 0 || isNumber[index] ? natural[index]! : LEAST.usual,
    ) ??
    dropped(lastFirst, (index) => (isNumber[index] ? natural[index]! : LEAST.small)) ??
    shrunk(() => LEAST.last)
  );
}

function total(widths: ReadonlyMap<number, number>): number {
  return [...widths.values()].reduce((sum, width) => sum + width + GAP, -GAP);
}

function rowLines(
  row: readonly string[],
  kept: readonly number[],
  widths: ReadonlyMap<number, number>,
  { columns, right }: TextTable,
): string[] {
  const parts = kept.map((index) => wrapped(row[index] ?? '', widths.get(index)!));
  const height = Math.max(...parts.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    kept
      .map((index, n) => {
        const text = parts[n]![line] ?? '';
        const padding = ' '.repeat(Math.max(0, widths.get(index)! - textWidth(text)));
        return right.includes(columns[index]!) ? padding + text : text + padding;
      })
      .join(' '.repeat(GAP))
      .trimEnd(),
  );
}

function wrapped(text: string, width: number): string[] {
  return textWidth(text) <= width ? [text] : wrapAnsi(text, width, { hard: true }).split('\n');
}

/** Columns of a terminal that a text takes. */
export function textWidth(text: string): number {
  return /^[ -~]*$/.test(text) ? text.length : stringWidth(text);
}

/** A text in at most `width` columns of a terminal. */
export function shortenTo(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  const characters = [...text];
  while (characters.length > 0 && textWidth(characters.join('')) >= width) characters.pop();
  return width > 0 ? `${characters.join('')}…` : '';
}
