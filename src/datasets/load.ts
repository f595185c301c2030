import { UserError } from '../util/errors.js';
import { readCifar } from './cifar.js';
import type { DatasetDefinition, DatasetName, DatasetOf, ImageSet } from './dataset.js';
import { readFashionMnist } from './fashion-mnist.js';
import { definitionStatus } from './files/check.js';
import { explainDiskErrors } from './files/disk-error.js';
import { datasetFolder, isShipped } from './files/folder.js';
import { datasetDigest } from './files/manifest.js';
import { FormatError } from './formats/format-error.js';
import { readSvhn } from './svhn.js';

type Reader = (
  definition: DatasetDefinition,
  folder: string,
) => Promise<{ readonly train: ImageSet; readonly test: ImageSet }>;

const READERS: Readonly<Record<Exclude<DatasetName, 'imagenet'>, Reader>> = {
  cifar10: readCifar,
  cifar100: readCifar,
  svhn: readSvhn,
  'fashion-mnist': readFashionMnist,
  'fashion-mnist-mini': readFashionMnist,
};

/** Reads the data files, whatever the manifest says. Throws `FormatError` where they are not what they should be. */
export function readDataFiles(definition: DatasetDefinition, folder: string) {
  if (definition.name === 'imagenet') throw new Error('ImageNet is indexed, not read into memory');
  return READERS[definition.name](definition, datasetFolder(definition, folder));
}

/** Reads a dataset into memory. Throws `UserError` when it is missing, incomplete or damaged. */
export async function loadDefinition(
  definition: DatasetDefinition,
  folder: string,
): Promise<DatasetOf<ImageSet>> {
  const { present, manifest } = await definitionStatus(definition, folder);
  if (!present || manifest === undefined) throw notPresent(definition, folder);
  try {
    const where = datasetFolder(definition, folder);
    const { train, test } = await explainDiskErrors(where, () => readDataFiles(definition, folder));
    return { definition, train, test, digest: datasetDigest(definition, manifest) };
  } catch (error) {
    if (error instanceof FormatError) {
      throw new UserError('data', `cannot read ${definition.title}: ${error.message}`, remedy(definition), {
        cause: error,
      });
    }
    throw error;
  }
}

function notPresent(definition: DatasetDefinition, folder: string): UserError {
  const where = datasetFolder(definition, folder);
  return new UserError('data', `${definition.title} is not complete in ${where}`, remedy(definition));
}

/** What a person can do about a dataset that is missing or damaged. */
export function remedy(definition: DatasetDefinition): string {
  return isShipped(definition)
    ? `Restore the files that come with the program: git checkout -- datasets/${definition.name}`
    : `Fetch what is missing or damaged: densenet data fetch ${definition.name}`;
}
