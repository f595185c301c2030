import { UserError } from '../util/errors.js';
import { suggest } from '../util/suggest.js';
import { cifar10, cifar100 } from './cifar.js';
import { DATASET_NAMES, type DatasetDefinition, type DatasetName, FOLDER } from './dataset.js';
import { fashionMnist, fashionMnistMini } from './fashion-mnist.js';
import { type FolderOptions, folderDefinition } from './folder/definition.js';
import { imagenet } from './imagenet/definition.js';
import { svhn } from './svhn.js';

/** Every published dataset, in the order of `DATASET_NAMES`. */
export const definitions: readonly DatasetDefinition[] = [
  cifar10,
  cifar100,
  svhn,
  fashionMnist,
  fashionMnistMini,
  imagenet,
];

export function definition(name: DatasetName): DatasetDefinition {
  return definitions.find((one) => one.name === name)!;
}

/** What a config says of its dataset: which of the published ones, or which folder and what to make of it. */
export interface ConfiguredDataset extends FolderOptions {
  readonly name: DatasetName | typeof FOLDER;
}

/** The definition of a config's dataset. */
export function definitionOf(dataset: ConfiguredDataset): DatasetDefinition<ConfiguredDataset['name']> {
  return dataset.name === FOLDER ? folderDefinition(dataset) : definition(dataset.name);
}

/** Checks a name that a person typed. Throws `UserError` with the nearest valid one. */
export function datasetName(text: string): DatasetName {
  const name = DATASET_NAMES.find((one) => one === text);
  if (name === undefined) {
    throw new UserError('usage', `there is no dataset '${text}'`, suggest(text, DATASET_NAMES));
  }
  return name;
}
