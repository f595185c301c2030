import { changedKeys, loadExperiment } from '../config/load.js';
import { isPlainObject } from '../config/merge.js';
import type { Experiment } from '../config/schema.js';
import { TABLE2_COLUMNS, type Table2Column } from './paper-tables.js';

/** A config of each column of Table 2: the column decides the recipe (paper, section 4.2), whatever the network. */
const CONFIGS: Readonly<Record<Table2Column, string>> = {
  C10: 'cifar10-40-12',
  'C10+': 'cifar10plus-40-12',
  C100: 'cifar100-40-12',
  'C100+': 'cifar100plus-40-12',
  SVHN: 'svhn-40-12',
};

export type PaperRecipes = ReadonlyMap<string, Experiment>;

/** An experiment with the paper's recipe for each column of Table 2. */
export async function paperRecipes(): Promise<PaperRecipes> {
  const load = async (column: Table2Column) => [column, await loadExperiment(CONFIGS[column])] as const;
  return new Map(await Promise.all(TABLE2_COLUMNS.map(load)));
}

/**
 * What an experiment does otherwise than the paper (section 4.2), as `training.epochs=40`. The seed, and what
 * changes only memory, do not count; nor does the network's shape. `column` is one of Table 2.
 */
export function recipeDifferences(
  recipes: PaperRecipes,
  column: string,
  experiment: Experiment,
): string[] | undefined {
  const paper = recipes.get(column);
  if (!paper) return undefined;
  const mine = recipe(experiment);
  return changedKeys(recipe(paper), mine).map((key) => `${key}=${JSON.stringify(valueAt(mine, key))}`);
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
