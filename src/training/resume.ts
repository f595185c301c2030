import { differences } from '../config/identity.js';
import { loadExperiment } from '../config/load.js';
import type { Experiment } from '../config/schema.js';
import { ENGINE_NAMES } from '../engines/engine.js';
import { chooseEngine, type EngineChoice, type EngineRequest } from '../engines/select.js';
import type { Network } from '../networks/network.js';
import { dataRemark, type Environment, type RunEnvironment } from '../runs/environment.js';
import type { RunFolder } from '../runs/run-folder.js';
import { readRunRecord } from '../runs/run-records.js';
import { canGoOn } from '../runs/run-state.js';
import { UserError } from '../util/errors.js';
import type { Reporter } from '../util/reporter.js';
import { shellWord } from '../util/shell.js';
import { checkTraining } from './check.js';
import { type Checkpoint, loadNewestCheckpoint, type Origin } from './checkpoint.js';
import { type ContentsOptions, withContents } from './contents.js';
import { announce } from './follow.js';
import { networkOf } from './model.js';
import { type RunOptions, withExperiment } from './open.js';
import { train } from './session.js';
import { environmentOf, type Finished } from './start.js';

/** What was given beside `--resume`. It must agree with how the run was begun. */
export interface SaidBeside {
  readonly config?: string | undefined;
  readonly set: readonly string[];
  readonly seed?: number | undefined;
  readonly subset?: number | undefined;
  readonly init?: string | undefined;
  readonly initSkip: readonly string[];
  readonly contents: ContentsOptions;
  /** How many share the run from now on. */
  readonly processes: number;
}

/** A run that can be resumed. */
export interface Resumption {
  readonly folder: RunFolder;
  readonly experiment: Experiment;
  readonly network: Network;
  readonly checkpoint: Checkpoint;
  readonly origin: Origin;
  /** Undefined where environment.json is damaged: it is then begun anew. */
  readonly environment: RunEnvironment | undefined;
}

/**
 * Reads what a run is resumed from. Its config and one whole checkpoint are enough; of other files that are damaged it
 * warns. Throws a UserError: usage if the run is finished or something else was asked for beside it, data if it cannot
 * be resumed.
 */
export async function readResumption(
  folder: RunFolder,
  said: SaidBeside,
  reporter: Reporter,
): Promise<Resumption> {
  const stored = folder.readExperiment();
  const { environment, result, status, problem } = readRunRecord(folder);
  if (status === 'damaged') reporter.warn(`${problem}; the file is written anew`);
  const network = networkOf(stored);
  if (result?.status === 'finished' && !canGoOn(folder)) throw finished(folder);
  const checkpoint = await loadNewestCheckpoint(folder, network, reporter);
  const origin =
    checkpoint.origin ??
    (environment && result && { subset: result.subset, init: environment.init, ...lastSession(environment) });
  if (origin === undefined) {
    throw new UserError(
      'data',
      `the run ${folder.name} cannot be resumed: ${problem ?? 'its environment.json or result.json is missing'}`,
      'Its checkpoint is of an earlier version, which needs both files. Start the run again.',
    );
  }
  const { path } = (await refuseOther(folder, stored, origin, said)).dataset;
  const experiment = path === undefined ? stored : { ...stored, dataset: { ...stored.dataset, path } };
  if (checkpoint.progress.epochs === stored.training.epochs && result?.status === 'finished') {
    throw finished(folder);
  }
  return { folder, experiment, network, checkpoint, origin, environment };
}

function finished(folder: RunFolder): UserError {
  const { name, path } = folder;
  return canGoOn(folder)
    ? new UserError(
        'usage',
        `the run ${name} is finished`,
        `Evaluate it with: densenet eval ${shellWord(path)}`,
      )
    : new UserError(
        'usage',
        `the run ${name} is finished, and its weights are gone`,
        'Start a new run with --config.',
      );
}

function lastSession(environment: RunEnvironment): Pick<Environment, 'engine' | 'dataset'> {
  const { engine, dataset } = environment.resumed.at(-1) ?? environment;
  return { engine, dataset };
}

/** Returns what was asked for beside `--resume`: the same run, whose folder of images may lie elsewhere now. */
async function refuseOther(
  folder: RunFolder,
  stored: Experiment,
  { subset }: Origin,
  said: SaidBeside,
): Promise<Experiment> {
  const overrides = said.seed === undefined ? {} : { training: { seed: said.seed } };
  const config = await loadExperiment(said.config ?? folder.config, { set: said.set, overrides });
  const asked = await withContents(dividedAsBefore(config, stored, said.processes), said.contents);
  const changed = differences(stored, asked);
  if (said.subset !== undefined && said.subset !== subset) changed.push('--subset');
  if (said.init !== undefined) changed.push('--init');
  if (said.initSkip.length > 0) changed.push('--init-skip');
  if (changed.length === 0) return asked;
  throw new UserError(
    'usage',
    `the run ${folder.name} was started with another config: ${changed.join(', ')}`,
    'Leave these out to resume it, or start a new run with --config.',
  );
}

/** Where several processes share the run, `training.accumulate: 1` stands for as many as it was started with. */
function dividedAsBefore(asked: Experiment, stored: Experiment, processes: number): Experiment {
  if (processes === 1 || asked.training.accumulate > 1) return asked;
  return { ...asked, training: { ...asked.training, accumulate: stored.training.accumulate } };
}

/** A run continues on the engine and device it was trained on, unless others are asked for: then it warns. */
export async function engineToResume(
  { origin: { engine: before } }: Resumption,
  request: EngineRequest,
  reporter: Reporter,
): Promise<EngineChoice> {
  const name = ENGINE_NAMES.find((one) => one === before.name) ?? 'auto';
  const engine = request.engine === 'auto' ? name : request.engine;
  const keepsDevice = request.device === 'auto' && request.gpu === undefined && engine === name;
  const device = keepsDevice ? (before.device === 'gpu' ? 'gpu' : 'cpu') : request.device;
  const choice = await chooseEngine({ engine, device, gpu: request.gpu });
  if (choice.engine === before.name && choice.device === before.device) {
    return { ...choice, reason: 'as the run was trained so far' };
  }
  warnOfOtherBits(before, reporter);
  return choice;
}

/** Warns where the engine is the one before, but has other kernels since. */
export function checkKernels(
  before: Environment['engine'],
  now: Environment['engine'],
  reporter: Reporter,
): void {
  if (before.name !== now.name || before.kernels === now.kernels) return;
  warnOfOtherBits({ description: `other kernels of the ${before.name} engine` }, reporter);
}

/** Throws a UserError (data) where the data on disk are not those that the run was trained on. */
export function checkData(
  { name, path }: Pick<RunFolder, 'name' | 'path'>,
  before: Environment['dataset'],
  now: Environment['dataset'],
): void {
  if (before === undefined || before.digest === now?.digest) return;
  throw new UserError(
    'data',
    `the run ${name} was trained on other data: ${dataText(before)}; here is ${dataText(now)}`,
    `Say with --data where its data are, or start a new run. What it was trained on is in ${path}/environment.json.`,
  );
}

/** `cifar10 (JPEG), digest 91bfd5adec30` */
function dataText(dataset: Environment['dataset']): string {
  if (!dataset) return 'none';
  const remark = dataRemark(dataset);
  return `${dataset.name}${remark ? ` (${remark})` : ''}, digest ${dataset.digest.slice(0, 12)}`;
}

function warnOfOtherBits({ description }: { readonly description: string }, reporter: Reporter): void {
  reporter.warn(`the run was trained with ${description} so far; it continues, but not to the same bits`);
}

/** Goes on with a run from its checkpoint, to the same bits as if it had never stopped. */
export async function resumeRun(
  { folder, experiment, network, checkpoint, origin, environment }: Resumption,
  options: RunOptions,
): Promise<Finished> {
  const { subset } = origin;
  const { choice, group } = options;
  await announce(group, network, checkpoint.state, {
    experiment,
    progress: checkpoint.progress,
    subset,
    choice,
  });
  await checkTraining(experiment, network, { ...options, subset, processes: group.size });
  return withExperiment(experiment, network, { ...options, subset }, async (open) => {
    const session = await environmentOf(open, group);
    checkData(folder, origin.dataset ?? environment?.dataset, session.dataset);
    checkKernels(origin.engine, session.engine, options.reporter);
    await folder.writeJson(
      folder.environment,
      environment
        ? { ...environment, resumed: [...environment.resumed, session] }
        : { ...session, init: origin.init, resumed: [] },
    );
    const goesOn = { folder, start: checkpoint, resumed: true };
    const origins = { origin: { ...origin, engine: session.engine, dataset: session.dataset } };
    const result = await train({ ...options, ...open, experiment, network, ...goesOn, ...origins });
    return { folder, experiment, result, note: open.dataset.note };
  });
}
