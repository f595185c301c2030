import { Argument, Command } from 'commander';
import { readFinishedRuns } from '../runs/finished-runs.js';
import { measurements } from '../tables/measurements.js';
import { PAPER_TABLES, type PaperTable, paperTable } from '../tables/paper-table.js';
import {
  addFormatOptions,
  addTerminalOptions,
  type FormatOptions,
  formerOutputOption,
  resultsOption,
  type TerminalOptions,
} from './options.js';
import { printTables } from './print.js';
import { terminalReporter } from './terminal.js';

const EXAMPLES = `
Examples:
  densenet table 2                             the paper's test errors, and yours beside them
  densenet table 2 --measured-only --format md
  densenet table 3 --references                with the authors' code and what others measured
  densenet table 1 --format csv

A cell is empty where nothing was measured. Your runs fill a cell of Table 2 or 3 if network, data and recipe are
the paper's; other runs are listed below the table with what differs. "ours" is the mean over n seeds ± the
sample standard deviation.`;

interface TableCliOptions extends TerminalOptions, FormatOptions {
  readonly results: string;
  readonly measuredOnly?: boolean;
  readonly references?: boolean;
}

export function tableCommand(): Command {
  const command = new Command('table')
    .description("print a table of the paper, with what was measured beside the paper's numbers")
    .addArgument(new Argument('<table>', 'number of the table').choices(PAPER_TABLES))
    .addOption(resultsOption())
    .addOption(formerOutputOption())
    .option('--measured-only', 'leave out what was not measured')
    .option('--references', "add the authors' code and independent reproductions")
    .addHelpText('after', EXAMPLES);
  return addTerminalOptions(addFormatOptions(command)).action(runTable);
}

async function runTable(number: PaperTable, options: TableCliOptions): Promise<void> {
  const runs = number === '1' ? [] : await readFinishedRuns(options.results, terminalReporter(options));
  printTables(await paperTable(number, measurements(runs), options), options);
}
