import { type Checked, explain } from './explain.js';
import { configName, findConfig, readConfigChain } from './files.js';
import { type ConfigLayer, mergeLayers, type PlainObject } from './merge.js';
import { type Experiment, experimentSchema } from './schema.js';
import { parseSetting } from './setting.js';

export interface LoadOptions {
  /** `path.to.key=value`, each laid on the file in turn. */
  readonly set?: readonly string[];
  /** What other options say, such as `--seed`; laid on everything else. `undefined` says nothing. */
  readonly overrides?: PlainObject;
}

/**
 * Reads the experiment that a config file describes, given by path or by its name in `configs/`, with every
 * default filled in. Throws a UserError (usage) that says in one line what is wrong and where.
 */
export async function loadExperiment(pathOrName: string, options: LoadOptions = {}): Promise<Experiment> {
  const path = findConfig(pathOrName);
  const files = await readConfigChain(path);
  const name: ConfigLayer = { origin: 'file name', values: { name: configName(path) } };
  const settings = (options.set ?? []).map(parseSetting);
  const layers = [name, ...files, ...settings, { origin: 'command line', values: options.overrides ?? {} }];
  return check({ values: mergeLayers(layers), layers, file: files.at(-1)!.origin });
}

/**
 * Checks an experiment that was written earlier, such as a run folder's `config.json`; `file` names it in
 * messages. Throws a UserError (usage) if it is not one.
 */
export function parseExperiment(values: unknown, file = 'experiment'): Experiment {
  return check({ values, layers: [], file });
}

function check(checked: Checked): Experiment {
  const result = experimentSchema.safeParse(checked.values);
  if (result.success) return result.data;
  throw explain(result.error.issues, checked);
}
