import { basename } from 'node:path';
import { Command, Option } from 'commander';
import type { Experiment } from '../config/schema.js';
import { chooseEngine, createEngine } from '../engines/select.js';
import { type Place, place } from '../mpi/place.js';
import { readRunRecords } from '../runs/run-records.js';
import { expandSweep, type SweepRun } from '../sweep/expand.js';
import { forecastSheet, forecastSweep } from '../sweep/forecast.js';
import { LAUNCHERS, type LauncherName } from '../sweep/launchers/index.js';
import type { Order } from '../sweep/launchers/launcher.js';
import { slurmSeconds } from '../sweep/launchers/slurm-time.js';
import { sweepNames } from '../sweep/names.js';
import { outcomeSheet, sweepExitCode } from '../sweep/outcome.js';
import { sweepDefinition } from '../sweep/request.js';
import { statusSheet, sweepStatus } from '../sweep/status.js';
import { trainOptions } from '../sweep/train-options.js';
import { sheetDocument } from '../tables/sheet.js';
import { updateTables } from '../tables/write.js';
import { engineOptions } from '../training/model.js';
import { UserError } from '../util/errors.js';
import { stopInOrder } from './interrupt.js';
import {
  addEngineOptions,
  addFormatOptions,
  addInputOptions,
  addTerminalOptions,
  dataOption,
  type EngineCliOptions,
  engineLine,
  type FormatOptions,
  formerOutputOption,
  type InputCliOptions,
  repeated,
  resultsOption,
  setOption,
  subsetOption,
  type TerminalOptions,
} from './options.js';
import { print, printTables } from './print.js';
import { terminalReporter } from './terminal.js';
import { list, positiveInteger, threadCount, wholeNumber } from './values.js';

const EXAMPLES = `
Examples:
  densenet sweep table2 --dry-run                       what would run, and how long each would take here
  densenet sweep table2
  densenet sweep --config cifar10plus-40-12,cifar10plus-bc-100-12 --seeds 1,2,3
  densenet sweep --config quickstart --seeds 1,2,3,4 --jobs 2
  densenet sweep table2 --launcher slurm --partition gpu --time 24:00:00 --max-jobs 16
  densenet sweep table2 --launcher slurm --status       what runs, waits, is finished or failed, and its job

Runs that are finished are skipped, interrupted runs are resumed, and a failed run does not stop the others: the same
command continues where it ended. The first Ctrl-C saves and stops the runs in progress, the second ends them at once.
The exit code is 0 only if every run is finished; otherwise it is that of the first run that failed.`;

const STOPPING = 'stopping: the runs in progress finish their step and save; once more ends them at once';

interface SweepCliOptions extends TerminalOptions, FormatOptions, EngineCliOptions, InputCliOptions {
  readonly config?: string[];
  readonly set: string[];
  readonly seeds?: number[];
  readonly subset?: number;
  readonly jobs: number;
  readonly results: string;
  readonly data?: string;
  readonly dryRun?: boolean;
  readonly launcher: LauncherName;
  readonly partition?: string;
  readonly time?: string;
  readonly maxJobs?: number;
  readonly sbatch: string[];
  readonly print?: boolean;
  readonly status?: boolean;
  readonly cancel?: boolean;
}

export function sweepCommand(): Command {
  const command = new Command('sweep')
    .description('train many experiments and seeds; continue where the last sweep ended')
    .argument('[file]', `a sweep file (docs/sweeps.md), or one of ${sweepNames().join(', ')}`)
    .option('--config <configs>', 'configs separated by commas, instead of a file', list)
    .addOption(setOption())
    .option('--seeds <seeds>', "seeds separated by commas (default: the file's, or 1)", seedList)
    .addOption(subsetOption())
    .option('--jobs <n>', 'runs at a time; on a CPU they share its threads', threadCount, 1)
    .addOption(
      new Option(
        '--dry-run',
        'show what would run and how long it would take, from a short measurement',
      ).conflicts(['print', 'status', 'cancel']),
    )
    .addOption(
      new Option(
        '--launcher <name>',
        'who starts the runs: this process, or a queue that they are submitted to',
      )
        .choices(Object.keys(LAUNCHERS))
        .default('local'),
    )
    .option('--partition <name>', 'partition of the queue')
    .option('--time <limit>', 'time limit of a run in the queue; it saves in time and queues itself again')
    .option('--max-jobs <n>', 'at most this many runs of the queue at a time', positiveInteger)
    .addOption(repeated('--sbatch <options>', 'more options of sbatch'))
    .addOption(new Option('--print', 'show the script instead of starting or submitting it'))
    .addOption(new Option('--status', 'show what has become of each run').conflicts('print'))
    .addOption(
      new Option('--cancel', 'take the runs out of the queue; those that are running save first').conflicts([
        'print',
        'status',
      ]),
    )
    .addHelpText('after', EXAMPLES);
  command.addOption(resultsOption()).addOption(formerOutputOption()).addOption(dataOption());
  addFormatOptions(command);
  addInputOptions(command);
  addEngineOptions(command);
  return addTerminalOptions(command).action(runSweepCommand);
}

function seedList(text: string): number[] {
  return list(text).map(wholeNumber);
}

async function runSweepCommand(
  file: string | undefined,
  options: SweepCliOptions,
  command: Command,
): Promise<void> {
  checkQueueOptions(options, command.getOptionValueSource('jobs') !== 'default');
  const here = place();
  if (here) throw severalSweeps(here);
  const { data: folder, workers, skipBadImages } = options;
  const contents = { folder, workers, skipBadImages, reporter: progressReporter(options) };
  const runs = await expandSweep(
    await sweepDefinition({ ...options, file, configs: options.config }),
    contents,
  );
  if (options.dryRun) return dryRun(runs, options);
  const name = basename(file ?? options.config![0]!).replace(/\.\w+$/, '');
  const order = { name, runs, resultsFolder: options.results, trainOptions: trainOptions(options) };
  if (options.status) await showStatus(order, options);
  else if (options.cancel) await cancel(order, options);
  else await launch(order, options);
}

function severalSweeps({ size }: Place): UserError {
  return new UserError(
    'usage',
    `${size} processes were started, and each would make the same sweep`,
    'Start sweep once, without mpirun or srun; train is what several processes share.',
  );
}

/** Throws a UserError (usage) if a queue is asked for something and none is chosen, or one for what is done here. */
function checkQueueOptions(
  { launcher, partition, time, maxJobs, sbatch }: SweepCliOptions,
  jobsGiven: boolean,
): void {
  if (launcher !== 'local' && jobsGiven) {
    throw new UserError(
      'usage',
      '--jobs is for runs that are started here, and these go to a queue',
      'Use --max-jobs, or leave out --launcher.',
    );
  }
  const given = { partition, time, 'max-jobs': maxJobs, sbatch: sbatch[0] };
  const [option] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (launcher !== 'local' || option === undefined) return;
  throw new UserError(
    'usage',
    `--${option} is for a queue, and the runs are to be started here`,
    'Add --launcher slurm, or leave it out.',
  );
}

/** Starts what is due: finished runs, those that are running and those in the queue are left. */
async function launch(order: Order, options: SweepCliOptions): Promise<void> {
  const reporter = progressReporter(options);
  const { launcher: name, sbatch: more } = options;
  const launcher = LAUNCHERS[name];
  const queued = { ...options, more };
  const due = name === 'local' ? order : { ...order, runs: await dueRuns(order, options) };
  if (due.runs.length === 0) {
    reporter.line('Nothing to submit: every run is finished, running, in the queue, or diverged.');
    if (!options.print) await concludeQueued(order, options);
    return;
  }
  if (options.print) {
    process.stdout.write(launcher.script(due, queued));
    return;
  }
  const force = new AbortController();
  const stop = stopInOrder(reporter, STOPPING, () => force.abort());
  const outcomes = await launcher.launch(due, { ...queued, reporter, stop, force: force.signal });
  if (outcomes === undefined) {
    reporter.line(`Submitted ${due.runs.length} of ${order.runs.length} runs.`);
    return concludeQueued(order, options);
  }
  // Runs that ended at once may each have written the tables without the other.
  await updateTables(options.results, reporter);
  reporter.line('');
  printTables(sheetDocument(outcomeSheet(outcomes)), options);
  if (!stop.aborted) process.exitCode = sweepExitCode(outcomes);
}

async function lookUp({ runs, resultsFolder }: Order, { launcher }: SweepCliOptions) {
  const queue = await LAUNCHERS[launcher].queue(resultsFolder);
  return sweepStatus(runs, await readRunRecords(resultsFolder), queue);
}

async function dueRuns(order: Order, options: SweepCliOptions): Promise<SweepRun[]> {
  return (await lookUp(order, options)).filter(({ due }) => due).map(({ run }) => run);
}

async function concludeQueued(order: Order, options: SweepCliOptions): Promise<void> {
  // A host may have written the tables before it saw what another one finished.
  await updateTables(options.results, progressReporter(options));
  await showStatus(order, options);
}

/** Reads only: the folder of results may be another person's, or not there. */
async function showStatus(order: Order, options: SweepCliOptions): Promise<void> {
  printTables(sheetDocument(statusSheet(await lookUp(order, options))), options);
}

async function cancel(order: Order, options: SweepCliOptions): Promise<void> {
  const entries = (await lookUp(order, options)).flatMap(({ entry }) => (entry?.state ? [entry] : []));
  const { launcher } = options;
  if (entries.length > 0 || launcher === 'local') await LAUNCHERS[launcher].cancel(entries);
  print(entries.length > 0 ? `Cancelled: ${entries.length} runs.` : 'Nothing is in the queue.');
}

async function dryRun(runs: readonly SweepRun[], options: SweepCliOptions): Promise<void> {
  const reporter = progressReporter(options);
  const choice = await chooseEngine(options);
  reporter.line(engineLine(choice));
  const records = await readRunRecords(options.results);
  const startEngine = (experiment: Experiment) =>
    createEngine(choice, { ...options, reporter, ...engineOptions(experiment) });
  const forecasts = await forecastSweep(runs, { records, startEngine, data: options.data, reporter });
  const { maxJobs, time } = options;
  const seconds = time === undefined ? undefined : slurmSeconds(time);
  const sheet = forecastSheet(forecasts, { maxJobs, seconds });
  printTables(sheetDocument(sheet), options);
}

/** News goes to standard error where standard output carries a document. */
function progressReporter(options: SweepCliOptions) {
  return terminalReporter({ ...options, json: options.json || options.print || options.format !== 'text' });
}
