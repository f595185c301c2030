import { UserError } from '../util/errors.js';
import { readSweepFile, type SweepDefinition } from './definition.js';
import { findSweep } from './names.js';

/** What is asked for beside a sweep file, or instead of one. */
export interface SweepRequest {
  /** A sweep file, or the name of one in `experiments/`. */
  readonly file?: string | undefined;
  /** Configs instead of a file. */
  readonly configs?: readonly string[] | undefined;
  readonly set: readonly string[];
  readonly seeds?: readonly number[] | undefined;
  readonly subset?: number | undefined;
}

/** The sweep that is asked for. Throws a UserError (usage) unless it is either a file or configs. */
export async function sweepDefinition(request: SweepRequest): Promise<SweepDefinition> {
  const { file, configs, set, seeds, subset } = request;
  if ((file === undefined) === (configs === undefined)) {
    throw new UserError(
      'usage',
      'sweep needs either a file or --config',
      'For example: densenet sweep table2, or densenet sweep --config quickstart --seeds 1,2,3',
    );
  }
  const base =
    file === undefined
      ? { configs: configs!.map((config) => ({ config, set: [] })), set: [], grid: {}, seeds: [1] }
      : await readSweepFile(findSweep(file));
  return {
    ...base,
    set: [...base.set, ...set],
    seeds: seeds ?? base.seeds,
    subset: subset ?? base.subset,
  };
}
