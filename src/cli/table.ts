import { Argument, Command } from 'commander';
import { readFinishedRuns } from '../runs/finished-runs.js';
import { measurements } from '../tables/measurements.js';
import { paperRecipes } from '../tables/paper-recipe.js';
import { sheetRecords } from '../tables/sheet.js';
import { table1Sheet } from '../tables/table1.js';
import { table2, table2Columns, table2Records, table2Sheets } from '../tables/table2.js';
import { othersSheet, table3, table3Columns, table3Records, table3Sheets } from '../tables/table3.js';
import { UserError } from '../util/errors.js';
import { addCommonOptions, type CommonOptions, formerOutputOption, resultsOption } from './options.js';
import { addFormatOption, type OutputOptions, printTables, type Tables } from './output.js';
import { terminalReporter } from './terminal.js';

const EXAMPLES = `
Examples:
  densenet table 2                             the paper's test errors, and yours beside them
  densenet table 2 --measured-only --format md
  densenet table 3 --references                with the authors' code and what others measured
  densenet table 1 --format csv

A cell is empty where nothing was measured. Your runs count as a cell of Table 2 or 3 if network, data and recipe are
the paper's; other runs are listed below the table with what differs. "ours" is the mean over n seeds ± the
sample standard deviation.`;

interface TableCliOptions extends CommonOptions, OutputOptions {
  readonly results: string;
  readonly measuredOnly?: boolean;
  readonly references?: boolean;
}

export function tableCommand(): Command {
  const command = new Command('table')
    .description("print a table of the paper, with what was measured beside the paper's figures")
    .addArgument(new Argument('<table>', 'number of the table').choices(['1', '2', '3']))
    .addOption(resultsOption())
    .addOption(formerOutputOption())
    .option('--measured-only', 'leave out what was not measured')
    .option('--references', "add the authors' code and independent reproductions")
    .addHelpText('after', EXAMPLES);
  addFormatOption(command);
  return addCommonOptions(command).action(runTable);
}

async function runTable(number: '1' | '2' | '3', options: TableCliOptions): Promise<void> {
  printTables(number === '1' ? firstTable(options) : await measuredTable(number, options), options);
}

function firstTable(options: TableCliOptions): Tables {
  if (options.measuredOnly) {
    throw new UserError(
      'usage',
      'Table 1 has nothing to measure: it is derived from the networks',
      'Leave out --measured-only, or print Table 2 or 3.',
    );
  }
  const sheet = table1Sheet(options);
  return { sheets: [sheet], columns: sheet.columns, records: sheetRecords(sheet) };
}

async function measuredTable(number: '2' | '3', options: TableCliOptions): Promise<Tables> {
  const measured = measurements(await readFinishedRuns(options.results, terminalReporter(options)));
  if (number === '3') {
    const table = table3(measured, await paperRecipes(), options);
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
  const table = table2(measured, await paperRecipes(), options);
  const [main, others] = table2Sheets(table, options);
  const records = table2Records(table, options);
  return {
    sheets: others ? [main!, others] : [main!],
    columns: table2Columns(options),
    records,
    document: { rows: records, others: others ? sheetRecords(others) : [] },
  };
}
