import { type Sheet, sheetMarkdown, sheetText, type TableDocument } from '../tables/sheet.js';
import { csv } from '../util/csv.js';
import type { UserError } from '../util/errors.js';
import { printable, printableLine } from '../util/printable.js';
import type { FormatOptions, WideOption } from './options.js';
import { printStream } from './print-stream.js';

/** Prints a line, or several. */
export function print(line: string | readonly string[]): void {
  const lines = typeof line === 'string' ? [line] : line;
  printStream().write(lines.map((text) => `${printableLine(text)}\n`).join(''));
}

/** Prints the one JSON document of `--json`. */
export function printJson(value: unknown): void {
  printStream().write(`${printable(JSON.stringify(value, null, 2))}\n`);
}

/** Prints tables in the format that was asked for. */
export function printTables(tables: TableDocument, options: FormatOptions): void {
  if (options.json) printJson(tables.document ?? tables.records);
  else if (options.format === 'csv') printStream().write(printable(csv(tables.columns, tables.records)));
  else {
    const lines = (sheet: Sheet) =>
      options.format === 'md' ? sheetMarkdown(sheet) : tableLines(sheet, options);
    print(tables.sheets.flatMap((sheet, index) => [...(index > 0 ? [''] : []), ...lines(sheet)]));
  }
}

/** A table as wide as the terminal, or as it needs where there is none, or `--wide` is given. */
export function tableLines(sheet: Sheet, { wide }: WideOption = {}): string[] {
  return sheetText(sheet, wide ? undefined : terminalWidth());
}

/** Columns of the terminal that is printed to; undefined where there is none. */
export function terminalWidth(): number | undefined {
  const { isTTY, columns } = printStream();
  return (isTTY && columns) || undefined;
}

/** Prints on standard error what is wrong, and what to do. */
export function printError({ message, remedy }: UserError): void {
  process.stderr.write(`error: ${printableLine(message)}\n${printableLine(remedy)}\n`);
}
