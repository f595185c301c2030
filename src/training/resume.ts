import { differences } from '../config/identity.js';
import { loadExperiment } from '../config/load.js';
import type { Experiment } from '../config/schema.js';
import type { EngineName } from '../engines/engine.js';
import { chooseEngine, type EngineChoice, type EngineRequest } from '../engines/select.js';
import { claimRun } from '../runs/claim.js';
import type { RunFolder } from '../runs/run-folder.js';
import { UserError } from '../util/errors.js';
import type { Reporter } from '../util/reporter.js';
import { loadCheckpoint } from './checkpoint.js';
import { checkMemory } from './memory.js';
import { networkOf } from './model.js';
import { withExperiment } from './open.js';
import { environmentOf, type Finished, type TrainOptions } from './start.js';
import { train } from './trainer.js';

/** What was said beside `--resume`. It must agree with the run's own config. */
export interface SaidBeside {
  readonly config?: string | undefined;
  readonly set: readonly string[];
  readonly seed?: number | undefined;
  readonly subset?: number | undefined;
  readonly init?: string | undefined;
  readonly initSkip: readonly string[];
}

/**
 * The experiment of a run that is to go on. Throws a UserError (usage) if the run is finished or something else was
 * asked for beside it.
 */
export async function experimentToResume(folder: RunFolder, said: SaidBeside): Promise<Experiment> {
  const stored = folder.readExperiment();
  const { status, subset } = folder.readResult();
  const overrides = said.seed === undefined ? {} : { training: { seed: said.seed } };
  const asked = await loadExperiment(said.config ?? folder.config, { set: said.set, overrides });
  const changed = differences(stored, asked);
  if (said.subset !== undefined && said.subset !== subset) changed.push('--subset');
  if (said.init !== undefined) changed.push('--init');
  if (said.initSkip.length > 0) changed.push('--init-skip');
  if (changed.length > 0) {
    throw new UserError(
      'usage',
      `the run ${folder.name} was started with another config: ${changed.join(', ')}`,
      'Leave these out to resume it, or start a new run with --config.',
    );
  }
  if (status === 'finished') {
    throw new UserError(
      'usage',
      `the run ${folder.name} is finished`,
      `Evaluate it with: densenet eval ${folder.name}`,
    );
  }
  return stored;
}

/** A run goes on on the engine and device it was trained on, unless others are asked for: then it warns. */
export async function engineToResume(
  folder: RunFolder,
  request: EngineRequest,
  reporter: Reporter,
): Promise<EngineChoice> {
  const environment = folder.readEnvironment();
  const before = (environment.resumed.at(-1) ?? environment).engine;
  const engine = request.engine === 'auto' ? (before.name as EngineName) : request.engine;
  const { gpu } = request;
  const keepsDevice = request.device === 'auto' && gpu === undefined && engine === before.name;
  const device = keepsDevice ? (before.device as EngineRequest['device']) : request.device;
  const choice = await chooseEngine({ engine, device, gpu });
  if (choice.engine === before.name && choice.device === before.device) {
    return { ...choice, reason: 'as the run was trained so far' };
  }
  reporter.warn(
    `the run was trained with ${before.description} so far; it goes on, but not to the same bits`,
  );
  return choice;
}

/** Goes on with a run from its last checkpoint, to the same bits as if it had never stopped. */
export async function resumeRun(folder: RunFolder, options: TrainOptions): Promise<Finished> {
  const release = await claimRun(folder);
  try {
    return await resumeClaimed(folder, options, release);
  } finally {
    await release();
  }
}

async function resumeClaimed(
  folder: RunFolder,
  options: TrainOptions,
  release: () => Promise<void>,
): Promise<Finished> {
  const experiment = folder.readExperiment();
  const { subset } = folder.readResult();
  const network = networkOf(experiment);
  checkMemory(experiment, network, { subset, device: options.choice.device });
  const start = await loadCheckpoint(folder.checkpoint('last'), network);
  return withExperiment(experiment, network, { ...options, subset }, async (open) => {
    const environment = folder.readEnvironment();
    const resumed = [...environment.resumed, await environmentOf(open)];
    await folder.writeJson(folder.environment, { ...environment, resumed });
    const task = { ...options, subset, ...open, experiment, network, folder, start };
    const result = await train({ ...task, onBegin: release });
    return { folder, experiment, result, note: open.dataset.note };
  });
}
