import { UserError } from '../util/errors.js';
import type { Measurement } from './measurements.js';
import { paperRecipes } from './paper-recipe.js';
import { sheetDocument, sheetRecords, type TableDocument } from './sheet.js';
import { table1Sheet } from './table1.js';
import { type TableOptions, table2, table2Columns, table2Records, table2Sheets } from './table2.js';
import { othersSheet, table3, table3Columns, table3Records, table3Sheets } from './table3.js';

/** The numbers of the paper's tables. */
export const PAPER_TABLES = ['1', '2', '3'] as const;
export type PaperTable = (typeof PAPER_TABLES)[number];

/**
 * A table of the paper, with what was measured beside it. Throws a UserError (usage) if Table 1, which is derived from
 * the networks, is asked to show only what was measured.
 */
export async function paperTable(
  number: PaperTable,
  measured: readonly Measurement[],
  options: TableOptions,
): Promise<TableDocument> {
  if (number === '1') return firstTable(options);
  const recipes = await paperRecipes();
  if (number === '2') {
    const table = table2(measured, recipes, options);
    const [main, others] = table2Sheets(table, options);
    const records = table2Records(table, options);
    return {
      sheets: others ? [main!, others] : [main!],
      columns: table2Columns(options),
      records,
      document: { rows: records, others: others ? sheetRecords(others) : [] },
    };
  }
  const table = table3(measured, recipes, options);
  const records = table3Records(table);
  return {
    sheets: table3Sheets(table, options),
    columns: table3Columns(options),
    records,
    document: {
      rows: records,
      others: table.others.length > 0 ? sheetRecords(othersSheet(table.others)) : [],
    },
  };
}

function firstTable(options: TableOptions): TableDocument {
  if (options.measuredOnly) {
    throw new UserError(
      'usage',
      'Table 1 has nothing to measure: it is derived from the networks',
      'Leave out --measured-only, or print Table 2 or 3.',
    );
  }
  return sheetDocument(table1Sheet(options));
}
