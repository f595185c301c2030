import { type Command, Option } from 'commander';
import {
  recordsCsv,
  type Sheet,
  type SheetRecord,
  sheetMarkdown,
  withoutEmptyColumns,
} from '../tables/sheet.js';
import { formatTable } from './columns.js';
import { printJson } from './options.js';

export interface OutputOptions {
  readonly json: boolean;
  readonly format: 'text' | 'csv' | 'md';
}

export function addFormatOption(command: Command): Command {
  return command.addOption(
    new Option('--format <format>', 'text, or for other programs csv or md; see also --json')
      .choices(['text', 'csv', 'md'])
      .default('text'),
  );
}

/** The same content, for people and for programs. */
export interface Tables {
  /** Text leaves out columns that are wholly empty; Markdown has all. */
  readonly sheets: readonly Sheet[];
  readonly columns: readonly string[];
  readonly records: readonly SheetRecord[];
  /** What `--json` prints, where it is more than the records. */
  readonly document?: unknown;
}

/** Prints tables on standard output in the format that was asked for. */
export function printTables(tables: Tables, options: OutputOptions): void {
  if (options.json) printJson(tables.document ?? tables.records);
  else if (options.format === 'csv') process.stdout.write(recordsCsv(tables.columns, tables.records));
  else {
    const lines = options.format === 'md' ? sheetMarkdown : sheetText;
    process.stdout.write(`${tables.sheets.map((sheet) => lines(sheet).join('\n')).join('\n\n')}\n`);
  }
}

function sheetText(full: Sheet): string[] {
  const { title, columns, rows, right, notes = [] } = withoutEmptyColumns(full);
  return [
    ...(title ? [title, ''] : []),
    ...(rows.length > 0 ? formatTable(columns, rows, right) : ['(nothing)']),
    ...(notes.length > 0 ? ['', ...notes] : []),
  ];
}
