import { Command } from 'commander';
import { readFinishedRuns } from '../runs/finished-runs.js';
import { findRunFolder } from '../runs/folders.js';
import {
  type RunRecord,
  readRunRecord,
  readRunRecords,
  SHOWN_STATUSES,
  type ShownStatus,
} from '../runs/run-records.js';
import { measurements } from '../tables/measurements.js';
import { paperRecipes } from '../tables/paper-recipe.js';
import { runDetails } from '../tables/run-details.js';
import {
  comparison,
  differenceSheet,
  RUN_COLUMNS,
  runRow,
  runSheet,
  sortRows,
} from '../tables/run-tables.js';
import { seedsSheet } from '../tables/seeds.js';
import { sheetDocument } from '../tables/sheet.js';
import { UserError } from '../util/errors.js';
import {
  addFormatOptions,
  addTerminalOptions,
  type FormatOptions,
  formerOutputOption,
  resultsOption,
  type TerminalOptions,
} from './options.js';
import { printTables } from './print.js';
import { runsNoteCommand, runsTagCommand } from './runs-note.js';
import { runsRemoveCommand } from './runs-rm.js';
import { terminalReporter } from './terminal.js';
import { list, names } from './values.js';

const EXAMPLES = `
Examples:
  densenet runs list --sort test_error
  densenet runs list --sort -started --format csv
  densenet runs list --status interrupted,killed      what can be resumed
  densenet runs list --tag draft --wide
  densenet runs show quickstart                       the newest run of an experiment
  densenet runs compare quickstart cifar10-40-12 --sort seconds
  densenet runs compare cifar10plus-40-12 cifar10plus-bc-100-12 --seeds
  densenet runs diff quickstart/20261124-101500-seed-1 quickstart/20261124-113000-seed-2
  densenet runs note quickstart "wider, as in the second draft"
  densenet runs tag quickstart draft best-so-far      add tags; --remove takes them away
  densenet runs rm quickstart                         its newest run, with all files

A run is given by its folder, by <experiment>/<run>, or by <experiment>, which means its newest run. A status is
running, finished, interrupted, diverged, failed, killed (it ended without saying so) or damaged.`;

interface RunsOptions extends TerminalOptions, FormatOptions {
  readonly results: string;
  readonly sort?: string;
  readonly seeds?: boolean;
  readonly status?: ShownStatus[];
  readonly tag?: string[];
}

export function runsCommand(): Command {
  const sort = ['--sort <column>', 'sort by a column; -column for descending'] as const;
  const command = new Command('runs')
    .description('list, show, compare, tag and remove runs, also those that did not finish')
    .addHelpText('after', EXAMPLES);
  const add = (name: string, description: string) => {
    const child = command
      .command(name)
      .description(description)
      .addOption(resultsOption())
      .addOption(formerOutputOption());
    return addTerminalOptions(addFormatOptions(child));
  };
  add('list', 'all runs')
    .option(...sort)
    .option(
      '--status <statuses>',
      'only runs with this status, or with one of several separated by commas',
      statuses,
    )
    .option('--tag <tags>', 'only runs with this tag, or with one of several separated by commas', list)
    .action(runList);
  add('show <run>', 'one run: config, environment, results, last epochs').action(runShow);
  add('compare <run...>', 'runs side by side: where their configs differ, and what came out')
    .option(...sort)
    .option('--seeds', 'with all seeds of each: means, intervals, and the significance of their differences')
    .action(runCompare);
  add('diff <first> <second>', 'two runs: configs and results, and the second minus the first').action(
    runDiff,
  );
  for (const edit of [runsNoteCommand, runsTagCommand, runsRemoveCommand]) command.addCommand(edit());
  return command;
}

function statuses(text: string): ShownStatus[] {
  return names(text, SHOWN_STATUSES);
}

async function runList(options: RunsOptions): Promise<void> {
  const { status, tag } = options;
  const all = (await readRunRecords(options.results))
    .filter((record) => status === undefined || status.includes(record.status))
    .filter(({ tags }) => tag === undefined || tag.some((one) => tags.includes(one)))
    .map(runRow);
  const rows = options.sort === undefined ? all : sortRows(all, RUN_COLUMNS, options.sort);
  const sheet = runSheet(RUN_COLUMNS, rows);
  printTables({ sheets: [sheet], columns: RUN_COLUMNS, records: rows }, options);
}

async function findRecord(reference: string, options: RunsOptions): Promise<RunRecord> {
  return readRunRecord(await findRunFolder(options.results, reference));
}

async function runShow(reference: string, options: RunsOptions): Promise<void> {
  printTables(runDetails(await findRecord(reference, options)), options);
}

async function runCompare(references: string[], options: RunsOptions): Promise<void> {
  if (references.length < 2) {
    throw new UserError('usage', 'compare needs two runs or more', 'List them with: densenet runs list');
  }
  const records = await Promise.all(references.map((reference) => findRecord(reference, options)));
  if (options.seeds) return compareSeeds(records, options);
  const { columns, rows: unsorted } = comparison(records);
  const rows = options.sort === undefined ? unsorted : sortRows(unsorted, columns, options.sort);
  printTables({ sheets: [runSheet(columns, rows)], columns, records: rows }, options);
}

async function compareSeeds(records: readonly RunRecord[], options: RunsOptions): Promise<void> {
  const all = measurements(await readFinishedRuns(options.results, terminalReporter(options)));
  const chosen = records.map(({ folder }) => {
    const found = all.find(({ runs }) => runs.includes(folder.name));
    if (found) return found;
    throw new UserError(
      'usage',
      `${folder.name} is not finished, or a newer run has its seed`,
      'Take the newest finished run of a seed, or leave out --seeds.',
    );
  });
  printTables(sheetDocument(seedsSheet([...new Set(chosen)], await paperRecipes())), options);
}

async function runDiff(first: string, second: string, options: RunsOptions): Promise<void> {
  const [a, b] = [await findRecord(first, options), await findRecord(second, options)];
  const sheet = differenceSheet(a, b);
  printTables(sheetDocument(sheet), options);
}
