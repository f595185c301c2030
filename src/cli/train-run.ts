import type { Experiment } from '../config/schema.js';
import { dataFolder, presentDigest } from '../datasets/index.js';
import { chooseEngine, type EngineChoice } from '../engines/select.js';
import type { Group } from '../mpi/group.js';
import { place } from '../mpi/place.js';
import { parameterCount } from '../networks/counts.js';
import type { Network } from '../networks/network.js';
import { BusyError, type Claim, claimed } from '../runs/claim.js';
import { resultsFolderOf } from '../runs/folders.js';
import type { RunFolder } from '../runs/run-folder.js';
import { findRunToResume, readRunRecord, readRunRecords } from '../runs/run-records.js';
import { hiddenByDamage, runState, type WantedRun } from '../runs/run-state.js';
import { updateTables } from '../tables/write.js';
import { trainAsNeeded } from '../training/as-needed.js';
import { checkTraining } from '../training/check.js';
import { withContents } from '../training/contents.js';
import { dividedAmong, withOwnGpu } from '../training/divide.js';
import { loadInitialWeights } from '../training/initial-weights.js';
import { networkOf } from '../training/model.js';
import { engineToResume, readResumption, resumeRun } from '../training/resume.js';
import { type Finished, startRun } from '../training/start.js';
import { EXIT, UserError } from '../util/errors.js';
import { formatCount } from '../util/format.js';
import type { Reporter } from '../util/reporter.js';
import { Transcript } from '../util/transcript.js';
import { commandLine } from './command-line.js';
import { DEFAULT_RESULTS, engineLine } from './options.js';
import { print, printJson } from './print.js';
import { oneProcess } from './together.js';
import { dryRun } from './train-dry-run.js';
import {
  contentsOptions,
  initOptions,
  newExperiment,
  runOptions,
  STOPPING,
  type TrainCliOptions,
} from './train-options.js';
import { resultLines } from './train-results.js';

/** Trains, and keeps what a person is told for the run's log. */
export async function trainRun(options: TrainCliOptions, reporter: Reporter): Promise<void> {
  const transcript = new Transcript();
  try {
    await chooseRun({ ...options, transcript }, transcript.of(reporter));
  } catch (error) {
    // A run that another process has taken over is left to it.
    if (error instanceof Error && !(error instanceof BusyError)) {
      transcript.note(`error: ${error.message}`);
      if (error instanceof UserError) transcript.note(error.remedy);
    }
    throw error;
  } finally {
    await transcript.settled();
  }
}

async function chooseRun(options: TrainCliOptions, reporter: Reporter): Promise<void> {
  const { resume, results, takeOver = false } = options;
  if (resume !== undefined) {
    await trainOn(options, await findRunToResume(results, resume, { takeOver }), reporter);
    return;
  }
  if (takeOver && !options.autoResume) {
    throw new UserError(
      'usage',
      '--take-over needs --resume or --auto-resume: a new run takes nothing over',
      'Leave it out, or name the run: --resume RUN --take-over',
    );
  }
  const processes = (options.dryRun ? place() : options.crew?.group)?.size ?? 1;
  const asked = await newExperiment(options);
  const whole = options.dryRun ? asked : await withContents(asked, contentsOptions(options, reporter));
  const experiment = dividedAmong(whole, processes);
  if (options.autoResume) await autoResume(options, experiment, reporter);
  else if (options.dryRun) await showPlan(options, experiment, processes, reporter);
  else await trainNew(options, experiment, reporter);
}

async function showPlan(
  options: TrainCliOptions,
  experiment: Experiment,
  processes: number,
  reporter: Reporter,
): Promise<void> {
  const network = networkOf(experiment);
  const choice = await chooseEngine(options);
  reporter.line(engineLine(choice));
  const { setup, subset } = options;
  await checkTraining(experiment, network, { choice, subset, processes, setup, reporter });
  const init = initOptions(options);
  if (init) await loadInitialWeights(init, network, experiment.training.seed);
  await dryRun(experiment, network, choice, { ...options, processes }, reporter);
}

async function trainNew(
  options: TrainCliOptions,
  experiment: Experiment,
  reporter: Reporter,
  claim?: Claim,
): Promise<void> {
  const { results, subset } = options;
  const init = initOptions(options);
  const choice = await chooseEngine(options);
  reporter.line(engineLine(choice));
  reporter.line(networkLine(experiment, networkOf(experiment)));
  if (init === undefined) await nameUnfinished(options, experiment, reporter);
  const begun = { ...(await working(options, experiment, choice, reporter)), subset, init, claim };
  await conclude(
    await startRun(experiment, { ...begun, resultsFolder: results }),
    results,
    options,
    reporter,
  );
}

/** Says how to resume a run of the same config instead of starting it anew. */
async function nameUnfinished(
  options: TrainCliOptions,
  experiment: Experiment,
  reporter: Reporter,
): Promise<void> {
  const state = runState(await wantedRun(options, experiment), await readRunRecords(options.results));
  if (state.kind === 'damaged') reporter.warn(`${hiddenByDamage(state.record).message}. This is a new one.`);
  if (state.kind !== 'resume') return;
  const { folder, result } = state.record;
  const epochs = `${result?.epochs ?? 0} of ${experiment.training.epochs} epochs`;
  reporter.line(
    `There is a run of this config that did not finish: ${folder.name}, ${epochs}. This is a new one.`,
  );
  reporter.line(`To resume that one instead: ${goOn(folder, options)}`);
}

async function trainOn(options: TrainCliOptions, folder: RunFolder, reporter: Reporter): Promise<void> {
  const { results, takeOver = false, autoResume } = options;
  const tablesFolder = resultsFolderOf(folder, results);
  // It may have been killed when only the tables were left to write.
  if (readRunRecord(folder).status === 'finished') await updateTables(tablesFolder, reporter);
  const finished = await claimed(folder, { takeOver }, async (claim) => {
    // Another process may have finished it just now.
    if (autoResume && readRunRecord(folder).status === 'finished') return undefined;
    const processes = options.crew?.group.size ?? 1;
    const said = { ...options, contents: contentsOptions(options, reporter), processes };
    const resumption = await readResumption(folder, said, reporter);
    const { experiment } = resumption;
    dividedAmong(experiment, processes, { resumed: true });
    const choice = await engineToResume(resumption, options, reporter);
    reporter.line(engineLine(choice));
    reporter.line(networkLine(experiment, resumption.network));
    return resumeRun(resumption, { ...(await working(options, experiment, choice, reporter)), claim });
  });
  if (finished) await conclude(finished, tablesFolder, options, reporter);
  else await sayFinished(folder, options, reporter);
}

/** `--auto-resume`: starts the run, resumes it, or leaves it alone, whichever the results folder calls for. */
async function autoResume(
  options: TrainCliOptions,
  experiment: Experiment,
  reporter: Reporter,
): Promise<void> {
  const { results, takeOver = false } = options;
  const busy = await trainAsNeeded(
    await wantedRun(options, experiment),
    { results, takeOver },
    {
      start: (claim) => trainNew(options, experiment, reporter, claim),
      goOn: (folder) => trainOn(options, folder, reporter),
      finished: (folder) => sayFinished(folder, options, reporter),
    },
  );
  if (!busy) return;
  const leftAlone = `left alone: ${busy.message}`;
  // Several processes hear of it, and end alike.
  if (options.crew) throw new UserError('unfinished', leftAlone, busy.remedy);
  reporter.warn(leftAlone);
  process.exitCode = EXIT.unfinished;
}

async function wantedRun({ subset, data }: TrainCliOptions, experiment: Experiment): Promise<WantedRun> {
  return { experiment, subset, data: await presentDigest(experiment.dataset, dataFolder(data)) };
}

async function sayFinished(folder: RunFolder, options: TrainCliOptions, reporter: Reporter): Promise<void> {
  const tables = await updateTables(options.results, reporter);
  if (options.json) printJson({ run: folder.path, ...folder.readResult(), tables });
  else print(`Nothing to do: the run ${folder.name} is finished.`);
}

/** What new and resumed runs are trained with, by this process and by those that work with it. */
async function working(
  options: TrainCliOptions,
  experiment: Experiment,
  choice: EngineChoice,
  reporter: Reporter,
) {
  const { crew = oneProcess(reporter, STOPPING), gpu } = options;
  if (options.crew) reporter.line(processesLine(experiment, crew.group));
  return { ...runOptions(options, crew, reporter), choice: await withOwnGpu(choice, crew.group, gpu) };
}

function processesLine({ training }: Experiment, { size, hosts }: Group): string {
  const { batchSize, accumulate } = training;
  const each = accumulate / size;
  const micro = `micro-batch${each === 1 ? '' : 'es'} of ${batchSize / accumulate}`;
  const count = new Set(hosts).size;
  return `Processes: ${size} on ${count} host${count === 1 ? '' : 's'}, each with ${each} ${micro} images (training.accumulate ${accumulate})`;
}

/** Refreshes the tables beside the run, and prints what it came to. */
async function conclude(
  finished: Finished,
  resultsFolder: string,
  options: TrainCliOptions,
  reporter: Reporter,
): Promise<void> {
  const tables = await updateTables(resultsFolder, reporter);
  const { folder, result } = finished;
  const lines =
    result.status === 'interrupted'
      ? [`Stopped and saved. Resume with: ${goOn(folder, options)}`]
      : resultLines(finished, tables);
  for (const text of lines) options.transcript?.note(text);
  if (options.json) printJson({ run: folder.path, ...result, tables });
  else print(lines);
  // A signal that ended it has said so already; otherwise a limit did.
  if (result.status === 'interrupted') process.exitCode ??= EXIT.unfinished;
  if (result.status === 'finished') process.exitCode = EXIT.ok;
}

/** The command that resumes a run, with what it needs of the options of this one. */
function goOn(folder: RunFolder, { results, data, skipBadImages }: TrainCliOptions): string {
  return commandLine([
    'train',
    '--resume',
    folder.name,
    ...(results === DEFAULT_RESULTS ? [] : ['--results', results]),
    ...(data === undefined ? [] : ['--data', data]),
    ...(skipBadImages ? ['--skip-bad-images'] : []),
  ]);
}

function networkLine(experiment: Experiment, network: Network): string {
  const parameters = formatCount(parameterCount(network));
  const { name, path } = experiment.dataset;
  return `${network.title}, ${parameters} parameters, on ${path ?? name}`;
}
