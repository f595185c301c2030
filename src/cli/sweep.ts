import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { chooseEngine, createEngine } from '../engines/select.js';
import { readRunRecords } from '../runs/run-records.js';
import { readSweepFile, type SweepDefinition } from '../sweep/definition.js';
import { expandSweep, type SweepRun } from '../sweep/expand.js';
import { forecastSheet, forecastSweep } from '../sweep/forecast.js';
import { outcomeSheet, sweepExitCode } from '../sweep/outcome.js';
import { runSweep } from '../sweep/run.js';
import { sheetDocument } from '../tables/sheet.js';
import { updateTables } from '../tables/write.js';
import { EXIT, UserError } from '../util/errors.js';
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
  positiveInteger,
  resultsOption,
  setOption,
  subsetOption,
  wholeNumber,
} from './options.js';
import { printTables } from './print.js';
import { terminalReporter } from './terminal.js';

const EXAMPLES = `
Examples:
  densenet sweep experiments/table2.yaml --dry-run      what would run, and how long each would take here
  densenet sweep experiments/table2.yaml
  densenet sweep --config cifar10plus-40-12,cifar10plus-bc-100-12 --seeds 1,2,3
  densenet sweep --config quickstart --seeds 1,2,3,4 --jobs 2

Runs that are finished are skipped, runs that were cut are resumed, and a failure stops only itself: the same
command goes on where it ended. The first Ctrl-C saves and stops the runs at work, the second ends them at once.
The exit code is 0 only if every run is finished; otherwise it is that of the first run that failed.`;

interface SweepCliOptions extends CommonOptions, FormatOptions, EngineCliOptions, InputCliOptions {
  readonly config?: string;
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
    .argument('[file]', 'a sweep file, see docs/sweeps.md')
    .option('--config <configs>', 'configs, with commas between them, instead of a file')
    .addOption(setOption())
    .option('--seeds <seeds>', "seeds, with commas between them (default: the file's, or 1)", seedList)
    .addOption(subsetOption())
    .option('--jobs <n>', 'runs at a time; on a CPU they share its threads', positiveInteger, 1)
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
  return text.split(',').map(wholeNumber);
}

async function runSweepCommand(file: string | undefined, options: SweepCliOptions): Promise<void> {
  const runs = await expandSweep(await sweepDefinition(file, options));
  if (options.dryRun) await dryRun(runs, options);
  else await trainAll(runs, options);
}

/** What the file says, and the options over it. */
async function sweepDefinition(file: string | undefined, options: SweepCliOptions): Promise<SweepDefinition> {
  if ((file === undefined) === (options.config === undefined)) {
    throw new UserError(
      'usage',
      'sweep needs either a file or --config',
      'For example: densenet sweep experiments/table2.yaml, or densenet sweep --config quickstart --seeds 1,2,3',
    );
  }
  const configs = (options.config ?? '').split(',').map((config) => ({ config, set: [] }));
  const base = file === undefined ? { configs, set: [], grid: {}, seeds: [1] } : await readSweepFile(file);
  return {
    ...base,
    set: [...base.set, ...options.set],
    seeds: options.seeds ?? base.seeds,
    subset: options.subset ?? base.subset,
  };
}

async function trainAll(runs: readonly SweepRun[], options: SweepCliOptions): Promise<void> {
  const reporter = progressReporter(options);
  const stop = new AbortController();
  const force = new AbortController();
  let code: number = EXIT.interrupted;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) {
      force.abort();
      return;
    }
    code = signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
    reporter.warn('stopping: the runs at work finish their step and save; once more ends them at once');
    stop.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  const outcomes = await runSweep(runs, {
    resultsFolder: options.results,
    jobs: options.jobs,
    trainOptions: trainOptions(options),
    reporter,
    stop: stop.signal,
    force: force.signal,
  });
  // Runs that ended at once may each have written the tables without the other.
  await updateTables(options.results, reporter);
  const sheet = outcomeSheet(outcomes);
  reporter.line('');
  printTables(sheetDocument(sheet), options);
  process.exitCode = stop.signal.aborted ? code : sweepExitCode(outcomes);
}

/** Engine, input and folders, as `train` takes them. Runs that share a CPU share its threads. */
function trainOptions(options: SweepCliOptions): string[] {
  const { engine, device, results, data, jobs, setup, skipBadImages } = options;
  const share = jobs > 1 ? Math.max(1, Math.floor(availableParallelism() / jobs)) : undefined;
  const threads = options.threads ?? share;
  const workers = options.workers ?? share;
  return [
    `--engine=${engine}`,
    `--device=${device}`,
    `--results=${results}`,
    ...(data === undefined ? [] : [`--data=${data}`]),
    ...(threads === undefined ? [] : [`--threads=${threads}`]),
    ...(workers === undefined ? [] : [`--workers=${workers}`]),
    ...(skipBadImages ? ['--skip-bad-images'] : []),
    ...(setup ? [] : ['--no-setup']),
  ];
}

async function dryRun(runs: readonly SweepRun[], options: SweepCliOptions): Promise<void> {
  const reporter = progressReporter(options);
  const choice = chooseEngine(options);
  reporter.line(engineLine(choice));
  const records = await readRunRecords(options.results);
  const engine = await createEngine(choice, { ...options, reporter });
  const forecasts = await forecastSweep(runs, { records, engine, data: options.data, reporter }).finally(() =>
    engine.dispose(),
  );
  const sheet = forecastSheet(forecasts);
  printTables(sheetDocument(sheet), options);
}

/** News goes to standard error where standard output carries a document. */
function progressReporter(options: SweepCliOptions) {
  return terminalReporter({ ...options, json: options.json || options.format !== 'text' });
}
