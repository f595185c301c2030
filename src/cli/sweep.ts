import { Command } from 'commander';
import type { Experiment } from '../config/schema.js';
import { chooseEngine, createEngine } from '../engines/select.js';
import { readRunRecords } from '../runs/run-records.js';
import { expandSweep, type SweepRun } from '../sweep/expand.js';
import { forecastSheet, forecastSweep } from '../sweep/forecast.js';
import { outcomeSheet, sweepExitCode } from '../sweep/outcome.js';
import { sweepDefinition, sweepNames } from '../sweep/request.js';
import { runSweep } from '../sweep/run.js';
import { trainOptions } from '../sweep/train-options.js';
import { sheetDocument } from '../tables/sheet.js';
import { updateTables } from '../tables/write.js';
import { engineOptions } from '../training/model.js';
import { stopInOrder } from './interrupt.js';
import {
  addCommonOptions,
  addEngineOptions,
  addInputOptions,
  type CommonOptions,
  dataOption,
  type EngineCliOptions,
  engineLine,
  type FormatOptions,
  formatOption,
  formerOutputOption,
  type InputCliOptions,
  resultsOption,
  setOption,
  subsetOption,
} from './options.js';
import { printTables } from './print.js';
import { terminalReporter } from './terminal.js';
import { list, threadCount, wholeNumber } from './values.js';

const EXAMPLES = `
Examples:
  densenet sweep table2 --dry-run                       what would run, and how long each would take here
  densenet sweep table2
  densenet sweep --config cifar10plus-40-12,cifar10plus-bc-100-12 --seeds 1,2,3
  densenet sweep --config quickstart --seeds 1,2,3,4 --jobs 2

Runs that are finished are skipped, interrupted runs are resumed, and a failure stops only itself: the same
command continues where it ended. The first Ctrl-C saves and stops the runs at work, the second ends them at once.
The exit code is 0 only if every run is finished; otherwise it is that of the first run that failed.`;

const STOPPING = 'stopping: the runs at work finish their step and save; once more ends them at once';

interface SweepCliOptions extends CommonOptions, FormatOptions, EngineCliOptions, InputCliOptions {
  readonly config?: string[];
  readonly set: string[];
  readonly seeds?: number[];
  readonly subset?: number;
  readonly jobs: number;
  readonly results: string;
  readonly data?: string;
  readonly dryRun?: boolean;
}

export function sweepCommand(): Command {
  const command = new Command('sweep')
    .description('train many experiments and seeds; go on where the last sweep ended')
    .argument('[file]', `a sweep file (docs/sweeps.md), or one of ${sweepNames().join(', ')}`)
    .option('--config <configs>', 'configs, with commas between them, instead of a file', list)
    .addOption(setOption())
    .option('--seeds <seeds>', "seeds, with commas between them (default: the file's, or 1)", seedList)
    .addOption(subsetOption())
    .option('--jobs <n>', 'runs at a time; on a CPU they share its threads', threadCount, 1)
    .option('--dry-run', 'show what would run and how long it would take, from a short measurement')
    .addHelpText('after', EXAMPLES);
  command
    .addOption(resultsOption())
    .addOption(formerOutputOption())
    .addOption(dataOption())
    .addOption(formatOption());
  addInputOptions(command);
  addEngineOptions(command);
  return addCommonOptions(command).action(runSweepCommand);
}

function seedList(text: string): number[] {
  return list(text).map(wholeNumber);
}

async function runSweepCommand(file: string | undefined, options: SweepCliOptions): Promise<void> {
  const runs = await expandSweep(await sweepDefinition({ ...options, file, configs: options.config }));
  if (options.dryRun) await dryRun(runs, options);
  else await trainAll(runs, options);
}

async function trainAll(runs: readonly SweepRun[], options: SweepCliOptions): Promise<void> {
  const reporter = progressReporter(options);
  const force = new AbortController();
  const stop = stopInOrder(reporter, STOPPING, () => force.abort());
  const outcomes = await runSweep(runs, {
    resultsFolder: options.results,
    jobs: options.jobs,
    trainOptions: trainOptions(options),
    reporter,
    stop,
    force: force.signal,
  });
  // Runs that ended at once may each have written the tables without the other.
  await updateTables(options.results, reporter);
  const sheet = outcomeSheet(outcomes);
  reporter.line('');
  printTables(sheetDocument(sheet), options);
  if (!stop.aborted) process.exitCode = sweepExitCode(outcomes);
}

async function dryRun(runs: readonly SweepRun[], options: SweepCliOptions): Promise<void> {
  const reporter = progressReporter(options);
  const choice = await chooseEngine(options);
  reporter.line(engineLine(choice));
  const records = await readRunRecords(options.results);
  const startEngine = (experiment: Experiment) =>
    createEngine(choice, { ...options, reporter, ...engineOptions(experiment) });
  const forecasts = await forecastSweep(runs, { records, startEngine, data: options.data, reporter });
  const sheet = forecastSheet(forecasts);
  printTables(sheetDocument(sheet), options);
}

/** News goes to standard error where standard output carries a document. */
function progressReporter(options: SweepCliOptions) {
  return terminalReporter({ ...options, json: options.json || options.format !== 'text' });
}
