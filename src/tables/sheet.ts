import { textTable } from '../util/text-table.js';

/** A table as people read it; an empty cell is what was not measured. */
export interface Sheet {
  readonly title?: string;
  readonly columns: readonly string[];
  /** Columns of numbers, aligned to the right. */
  readonly right: readonly string[];
  /** Columns that a narrow terminal does without, as `TextTable` says. */
  readonly drop?: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Lines below the table. */
  readonly notes?: readonly string[];
}

/** A row as programs read it. Keys are columns; undefined is an empty cell. */
export type SheetRecord = Readonly<Record<string, string | number | undefined>>;

/** The same table without the columns that are empty in every row. */
export function withoutEmptyColumns(sheet: Sheet): Sheet {
  const kept = sheet.columns.map((_, index) => sheet.rows.some((row) => row[index] !== ''));
  const pick = <T>(row: readonly T[]) => row.filter((_, index) => kept[index]);
  return { ...sheet, columns: pick(sheet.columns), rows: sheet.rows.map(pick) };
}

/** The same content, for people and for programs. */
export interface TableDocument {
  /** Text leaves out columns that are wholly empty; Markdown has all. */
  readonly sheets: readonly Sheet[];
  readonly columns: readonly string[];
  readonly records: readonly SheetRecord[];
  /** What `--json` prints, where it is more than the records. */
  readonly document?: unknown;
}

/** A document of one sheet, whose records are its rows. */
export function sheetDocument(sheet: Sheet, document?: unknown): TableDocument {
  return { sheets: [sheet], columns: sheet.columns, records: sheetRecords(sheet), document };
}

/** A table for a terminal of `width` columns, or for what has room for all. */
export function sheetText(full: Sheet, width?: number): string[] {
  const sheet = withoutEmptyColumns(full);
  const { title, rows, notes = [] } = sheet;
  const { lines, leftOut } = textTable(sheet, width);
  const hidden = leftOut.filter(Boolean).join(', ');
  const below = [...(leftOut.length > 0 ? [`With --wide also: ${hidden}`] : []), ...notes];
  return [
    ...(title ? [title, ''] : []),
    ...(rows.length > 0 ? lines : ['(nothing)']),
    ...(below.length > 0 ? ['', ...below] : []),
  ];
}

/** A Markdown table; `|` in cells is escaped. */
export function sheetMarkdown(sheet: Sheet): string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    ...(sheet.title ? [`### ${sheet.title}`, ''] : []),
    line(sheet.columns),
    line(sheet.columns.map((column) => (sheet.right.includes(column) ? '---:' : '---'))),
    ...sheet.rows.map(line),
    ...(sheet.notes ?? []).flatMap((note) => ['', note]),
  ];
}

/** The rows of a sheet as records. */
export function sheetRecords(sheet: Sheet): SheetRecord[] {
  return sheet.rows.map((row) =>
    Object.fromEntries(sheet.columns.map((column, index) => [column, row[index] || undefined])),
  );
}

/** `+0.17`, `−0.05`, `0.00`. */
export function signed(value: number, digits = 2): string {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return `${value < 0 ? '−' : '+'}${text}`;
}

/** Collects the sources that cells refer to, and numbers them in order of appearance. */
export class SourceNotes {
  private readonly numbers = new Map<string, number>();

  /** `4.54 [1], 4.76 [2]`; empty for none. */
  cell(references: readonly { readonly error: number; readonly source: string }[]): string {
    return references.map(({ error, source }) => `${error.toFixed(2)} [${this.number(source)}]`).join(', ');
  }

  /** `[1] bearpaw/pytorch-classification README` */
  get notes(): string[] {
    return [...this.numbers].map(([source, number]) => `[${number}] ${source}`);
  }

  private number(source: string): number {
    const number = this.numbers.get(source) ?? this.numbers.size + 1;
    this.numbers.set(source, number);
    return number;
  }
}
