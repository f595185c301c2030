import { loadExperiment } from '../config/load.js';
import type { Experiment } from '../config/schema.js';
import type { ContentsOptions } from '../training/contents.js';
import type { InitOptions } from '../training/initial-weights.js';
import { sessionLimits } from '../training/limits.js';
import { UserError } from '../util/errors.js';
import type { Reporter } from '../util/reporter.js';
import type { Transcript } from '../util/transcript.js';
import type { EngineCliOptions, InputCliOptions, TerminalOptions } from './options.js';
import type { Crew } from './together.js';

/** What a person is told at the first Ctrl-C. */
export const STOPPING =
  'stopping after this step; once more stops at once and loses the work since the last checkpoint';

/** What a person asks of `train`. */
export interface TrainCliOptions extends TerminalOptions, EngineCliOptions, InputCliOptions {
  readonly config?: string;
  readonly set: string[];
  readonly results: string;
  readonly data?: string;
  readonly seed?: number;
  readonly subset?: number;
  readonly init?: string;
  readonly initSkip: string[];
  readonly resume?: string;
  readonly autoResume?: boolean;
  readonly takeOver?: boolean;
  /** The processes that work together; this one alone when undefined. */
  readonly crew?: Crew;
  /** What this process says, for the run's log. */
  readonly transcript?: Transcript;
  readonly maxTime?: number;
  readonly maxSteps?: number;
  readonly logEvery?: number;
  readonly dryRun?: boolean;
  /** `--no-measure` makes it false. */
  readonly measure: boolean;
}

/** The experiment of `--config`, `--set` and `--seed`. Throws a UserError (usage) if there is no config. */
export async function newExperiment(options: TrainCliOptions): Promise<Experiment> {
  if (!options.config) {
    throw new UserError(
      'usage',
      'train needs a config or --resume',
      'For a first try: densenet train quickstart. All configs: ls configs',
    );
  }
  const { config, set, seed } = options;
  return loadExperiment(config, { set, overrides: seed === undefined ? {} : { training: { seed } } });
}

/** Throws a UserError (usage) if weights are left out of a file that is not given. */
export function initOptions({ init, initSkip }: TrainCliOptions): InitOptions | undefined {
  if (init !== undefined) return { file: init, skip: initSkip };
  if (initSkip.length === 0) return undefined;
  throw new UserError(
    'usage',
    '--init-skip needs --init: it says which weights of that file not to take',
    'For example: --init FILE.safetensors --init-skip classifier',
  );
}

/** How a folder of images is looked through. */
export function contentsOptions(options: TrainCliOptions, reporter: Reporter): ContentsOptions {
  const { data: folder, workers = options.crew?.group.cores, skipBadImages, crew } = options;
  return { folder, workers, skipBadImages, reporter, signal: crew?.signal };
}

/** What all processes of a run are given. */
export function runOptions(options: TrainCliOptions, { group, signal }: Crew, reporter: Reporter) {
  const { cores } = group;
  const { threads = cores, workers = cores, skipBadImages, data: folder, setup } = options;
  const { transcript, logEvery } = options;
  const limits = sessionLimits(options);
  const log = { transcript, logEvery };
  return { threads, workers, skipBadImages, folder, setup, reporter, signal, limits, group, ...log };
}
