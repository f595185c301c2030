import { changedKeys, loadExperiment } from '../config/load.js';
import { isPlainObject } from '../config/merge.js';
import type { Experiment } from '../config/schema.js';
import { TABLE2_COLUMNS, type Table2Column } from './paper-tables.js';

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

export type PaperRecipes = ReadonlyMap<string, Experiment>;

/** An experiment with the paper's recipe for each column of Table 2 and for ImageNet. */
export async function paperRecipes(): Promise<PaperRecipes> {
  const load = async (column: RecipeColumn) => [column, await loadExperiment(CONFIGS[column])] as const;
  return new Map(await Promise.all([...TABLE2_COLUMNS, 'ImageNet' as const].map(load)));
}

/**
 * What an experiment does otherwise than the paper (section 4.2), as `training.epochs=40`. The seed, and what
 * changes only memory, do not count; nor does the network's shape. On ImageNet micro-batches do not count either: the
 * paper does not say over how many GPUs, each with batch statistics of its own, it spread a batch. `column` is a
 * `RecipeColumn`; undefined for others.
 */
export function recipeDifferences(
  recipes: PaperRecipes,
  column: string,
  experiment: Experiment,
): string[] | undefined {
  const paper = recipes.get(column);
  if (!paper) return undefined;
  const mine = recipe(experiment);
  return changedKeys(recipe(paper), mine)
    .filter((key) => column !== 'ImageNet' || key !== 'training.accumulate')
    .map((key) => `${key}=${JSON.stringify(valueAt(mine, key))}`);
}

function recipe({ network, dataset, training, report }: Experiment) {
  const { seed: _seed, memoryEfficient: _memory, ...rest } = training;
  return {
    network: { dropout: network.dropout },
    dataset: { ...dataset, augmentation: [...dataset.augmentation].sort() },
    training: rest,
    report,
  };
}

/** The value at a dotted path; undefined where there is none. */
export function valueAt(values: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (isPlainObject(value) ? value[key] : undefined), values);
}
