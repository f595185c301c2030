import { UserError } from '../util/errors.js';
import { suggest } from '../util/suggest.js';
import { cifar10, cifar100 } from './cifar.js';
import { DATASET_NAMES, type DatasetDefinition, type DatasetName } from './dataset.js';
import { fashionMnist, fashionMnistMini } from './fashion-mnist.js';
import { imagenet } from './imagenet/definition.js';
import { svhn } from './svhn.js';

/** Every dataset, in the order of `DATASET_NAMES`. */
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

/** Checks a name that a person typed. Throws `UserError` with the nearest valid one. */
export function datasetName(text: string): DatasetName {
  const name = DATASET_NAMES.find((one) => one === text);
  if (name === undefined) {
    throw new UserError('usage', `there is no dataset '${text}'`, suggest(text, DATASET_NAMES));
  }
  return name;
}
