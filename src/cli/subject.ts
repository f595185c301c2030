import { loadExperiment } from '../config/load.js';
import type { Experiment } from '../config/schema.js';
import { findRunFolder } from '../runs/folders.js';
import type { EvaluatedRun } from '../runs/keep-evaluation.js';
import { withContents } from '../training/contents.js';
import { UserError } from '../util/errors.js';
import type { Reporter } from '../util/reporter.js';

/** How a command is told which weights it is about: a run and a checkpoint, or a config and a file. */
export interface SubjectOptions {
  readonly config?: string;
  readonly set: readonly string[];
  readonly results: string;
  readonly weights?: string;
  readonly checkpoint: 'last' | 'best';
  readonly data?: string;
  readonly skipBadImages?: boolean;
}

/** A network with its weights. */
export interface Subject {
  readonly experiment: Experiment;
  /** The file that they are in. */
  readonly weights: string;
  /** First N images of each split, where the run did not use all. */
  readonly subset?: number;
  /** The run that the weights are of. */
  readonly run?: EvaluatedRun;
}

/** Throws a UserError (usage) if it is neither a run nor a config with weights. */
export async function findSubject(
  command: string,
  run: string | undefined,
  options: SubjectOptions,
  reporter: Reporter,
): Promise<Subject> {
  if (run !== undefined && options.config === undefined && options.weights === undefined) {
    if (options.set.length > 0) {
      throw new UserError(
        'usage',
        `--set ${options.set[0]} cannot be used with a run: a run has its own config`,
        'Leave it out, or give --config and --weights instead of the run.',
      );
    }
    const folder = await findRunFolder(options.results, run);
    const result = folder.readResult();
    return {
      experiment: folder.readExperiment(),
      weights: folder.checkpoint(options.checkpoint),
      subset: result.subset,
      run: { folder, result },
    };
  }
  if (run === undefined && options.config !== undefined && options.weights !== undefined) {
    const config = await loadExperiment(options.config, { set: options.set });
    const { data: folder, skipBadImages } = options;
    const experiment = await withContents(config, { folder, skipBadImages, reporter });
    return { experiment, weights: options.weights };
  }
  throw new UserError(
    'usage',
    `${command} needs either a run, or --config together with --weights`,
    `For example: densenet ${command} quickstart, or densenet ${command} --config quickstart --weights FILE.safetensors`,
  );
}
