import { dirname, resolve } from 'node:path';
import { FOLDER } from '../datasets/dataset.js';
import { folderClasses } from '../datasets/folder/listing.js';
import { atHome } from '../util/home.js';
import { type Checked, explain } from './explain.js';
import { configName, findConfig, readConfigChain } from './files.js';
import { type ConfigLayer, isPlainObject, mergeLayers, type PlainObject } from './merge.js';
import { type Experiment, experimentSchema } from './schema.js';
import { parseSetting } from './setting.js';

export interface LoadOptions {
  /** `path.to.key=value`, each laid on the file in turn; a description is of all of them, wherever it stands. */
  readonly set?: readonly string[];
  /** What other options say, such as `--seed`; laid on everything else. `undefined` says nothing. */
  readonly overrides?: PlainObject;
}

/**
 * Reads the experiment that a config file describes, given by path or by its name in `configs/`, with every
 * default filled in; of a folder of images, also its classes. Throws a UserError (usage) that says in one line what is
 * wrong and where.
 */
export async function loadExperiment(pathOrName: string, options: LoadOptions = {}): Promise<Experiment> {
  const path = findConfig(pathOrName);
  const files = await readConfigChain(path);
  const name: ConfigLayer = { origin: 'file name', values: { name: configName(path) } };
  const settings = descriptionLast((options.set ?? []).map(parseSetting));
  const layers = [
    name,
    ...files.map((file) => withDatasetPath(file, dirname(file.origin))),
    ...settings.map((setting) => withDatasetPath(setting, '')),
    { origin: 'command line', values: options.overrides ?? {} },
  ];
  return withClasses(check({ values: mergeLayers(layers), layers, file: files.at(-1)!.origin }));
}

/** A description is of all settings, and a later one would drop it. */
function descriptionLast(settings: readonly ConfigLayer[]): ConfigLayer[] {
  const describes = ({ values }: ConfigLayer) => 'description' in values;
  return [...settings.filter((setting) => !describes(setting)), ...settings.filter(describes)];
}

/** A path in a config is as seen from that config, wherever the program runs. */
function withDatasetPath(layer: ConfigLayer, from: string): ConfigLayer {
  const { dataset } = layer.values;
  if (!isPlainObject(dataset) || typeof dataset.path !== 'string' || dataset.path === '') return layer;
  return {
    ...layer,
    values: { ...layer.values, dataset: { ...dataset, path: resolve(from, atHome(dataset.path)) } },
  };
}

async function withClasses(experiment: Experiment): Promise<Experiment> {
  const { dataset } = experiment;
  if (dataset.name !== FOLDER || dataset.classes) return experiment;
  return { ...experiment, dataset: { ...dataset, classes: await folderClasses(dataset) } };
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
