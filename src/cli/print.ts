import { recordsCsv, sheetMarkdown, sheetText, type TableDocument } from '../tables/sheet.js';
import type { FormatOptions } from './options.js';

/** Prints a line, or several, on standard output. */
export function print(text: string | readonly string[]): void {
  process.stdout.write(`${typeof text === 'string' ? text : text.join('\n')}\n`);
}

/** Prints the one JSON document of `--json`. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Prints tables in the format that was asked for. */
export function printTables(tables: TableDocument, options: FormatOptions): void {
  if (options.json) printJson(tables.document ?? tables.records);
  else if (options.format === 'csv') process.stdout.write(recordsCsv(tables.columns, tables.records));
  else {
    const lines = options.format === 'md' ? sheetMarkdown : sheetText;
    print(tables.sheets.flatMap((sheet, index) => [...(index > 0 ? [''] : []), ...lines(sheet)]));
  }
}
