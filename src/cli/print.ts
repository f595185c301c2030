import { sheetMarkdown, sheetText, type TableDocument } from '../tables/sheet.js';
import { csv } from '../util/csv.js';
import type { UserError } from '../util/errors.js';
import { printable, printableLine } from '../util/printable.js';
import type { FormatOptions } from './options.js';
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
    const lines = options.format === 'md' ? sheetMarkdown : sheetText;
    print(tables.sheets.flatMap((sheet, index) => [...(index > 0 ? [''] : []), ...lines(sheet)]));
  }
}

/** Prints on standard error what is wrong, and what to do. */
export function printError({ message, remedy }: UserError): void {
  process.stderr.write(`error: ${printableLine(message)}\n${printableLine(remedy)}\n`);
}
