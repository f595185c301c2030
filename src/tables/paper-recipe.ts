import { configNames } from '../config/files.js';
import { changedKeys, recipe } from '../config/identity.js';
import { loadExperiment } from '../config/load.js';
import { isPlainObject } from '../config/merge.js';
import type { Experiment } from '../config/schema.js';
import { methodName } from './labels.js';
import { TABLE2_COLUMNS, type Table2Column } from './paper-csv.js';

/** What a recipe of section 4.2 belongs to: a column of Table 2, or ImageNet (Table 3). */
export type RecipeColumn = Table2Column | 'ImageNet';

/** A config of each: the column decides the recipe, whatever the network. */
const CONFIGS: Readonly<Record<RecipeColumn, string>> = {
  C10: 'cifar10-40-12',
  'C10+': 'cifar10plus-40-12',
  C100: 'cifar100-40-12',
  'C100+': 'cifar100plus-40-12',
  SVHN: 'svhn-40-12',
  ImageNet: 'imagenet-densenet-121',
};

/** How the numbers of Table 2 came about. */
export interface PaperRecipes {
  /** The recipe of section 4.2, for each column. */
  readonly columns: ReadonlyMap<string, Experiment>;
  /** The networks that others trained, each by its own recipe. */
  readonly compared: readonly ComparedRecipe[];
}

interface ComparedRecipe extends Table2RowName {
  readonly column: string;
  readonly experiment: Experiment;
}

/** What names a row of Table 2. */
export interface Table2RowName {
  readonly method: string;
  readonly depth: number;
}

/** The recipes of the paper's tables, as the configs have them. */
export async function paperRecipes(): Promise<PaperRecipes> {
  const load = async (column: RecipeColumn) => [column, await loadExperiment(CONFIGS[column])] as const;
  const columns = new Map(await Promise.all([...TABLE2_COLUMNS, 'ImageNet' as const].map(load)));
  const names = configNames().filter((name) => name.includes('resnet'));
  const experiments = await Promise.all(names.map((name) => loadExperiment(name)));
  return { columns, compared: experiments.flatMap(compared) };
}

function compared(experiment: Experiment): ComparedRecipe[] {
  const { paper } = experiment;
  const row = /^(.*) \(L=(\d+)\)$/.exec(paper?.row ?? '');
  if (paper?.table !== 2 || !row) return [];
  return [{ method: row[1]!, depth: Number(row[2]), column: paper.column, experiment }];
}

/**
 * What an experiment does otherwise than section 4.2, as `training.epochs=40`. The seed, and what changes only memory
 * or speed, do not count; nor does the network's shape, and dropout of DenseNets alone. On ImageNet micro-batches do
 * not count either: the paper does not say over how many GPUs, each with its own batch statistics, it spread a batch.
 * `column` is a `RecipeColumn`; undefined for others.
 */
export function recipeDifferences(
  recipes: PaperRecipes,
  column: string,
  experiment: Experiment,
): string[] | undefined {
  const paper = recipes.columns.get(column);
  return (
    paper &&
    differencesFrom(paper, experiment).filter(
      (difference) => column !== 'ImageNet' || !difference.startsWith('training.accumulate='),
    )
  );
}

/** Where an experiment belongs in Table 2. */
export interface Table2Place {
  readonly row: Table2RowName;
  /** What it does otherwise than that row's recipe, as `training.epochs=40`. */
  readonly differences: readonly string[];
}

/**
 * The row of Table 2 that an experiment belongs to, and what it does otherwise. A network that others trained is
 * compared with the rows of the same network, of which the nearest counts; every other with section 4.2.
 * `column` is one of Table 2; undefined if it is none.
 */
export function placeInTable2(
  recipes: PaperRecipes,
  column: string,
  experiment: Experiment,
): Table2Place | undefined {
  const { network } = experiment;
  const [nearest] = recipes.compared
    .filter((row) => row.column === column && changedKeys(row.experiment.network, network).length === 0)
    .map((row) => ({ row, differences: differencesFrom(row.experiment, experiment) }))
    .sort((a, b) => a.differences.length - b.differences.length);
  if (nearest) return nearest;
  const differences = recipeDifferences(recipes, column, experiment);
  return differences && { row: { method: methodName(network), depth: network.depth }, differences };
}

function differencesFrom(paper: Experiment, experiment: Experiment): string[] {
  const mine = comparable(experiment);
  return (
    changedKeys(comparable(paper), mine)
      // What a folder of images is, its name says.
      .filter((key) => !/^dataset\.(path|classes|contents)/.test(key))
      .filter((key) => key !== 'network.dropout' || experiment.network.family === 'densenet')
      .map((key) => `${key}=${JSON.stringify(valueAt(mine, key))}`)
  );
}

function comparable(experiment: Experiment) {
  return { network: { dropout: experiment.network.dropout }, ...recipe(experiment) };
}

/** The value at a dotted path; undefined where there is none. */
export function valueAt(values: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (isPlainObject(value) ? value[key] : undefined), values);
}
