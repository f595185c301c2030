import { UserError } from '../../util/errors.js';
import type { DatasetDefinition, DatasetOf, ImageSet } from '../dataset.js';
import { FormatError } from '../formats/format-error.js';
import { filesStatus } from './check.js';
import { explainDiskErrors } from './explain-disk-errors.js';
import { datasetFolder } from './folder.js';
import { datasetDigest } from './manifest.js';

/**
 * Reads the data files of one dataset, which lie in `folder`. Throws `FormatError` where they are not what they should
 * be.
 */
export type Reader = (
  definition: DatasetDefinition,
  folder: string,
) => Promise<{ readonly train: ImageSet; readonly test: ImageSet }>;

/** Reads a dataset into memory. Throws a UserError (data) when it is missing, incomplete or damaged. */
export async function loadFiles(
  definition: DatasetDefinition,
  read: Reader,
  folder: string,
): Promise<DatasetOf<ImageSet>> {
  const { present, manifest } = await filesStatus(definition, folder);
  if (!present || manifest === undefined) throw notPresent(definition, folder);
  try {
    const where = datasetFolder(definition, folder);
    const { train, test } = await explainDiskErrors(where, () => read(definition, where));
    const digest = datasetDigest(definition, manifest);
    const variant = definition.variants?.find((one) => one.digest === digest);
    return { definition, train, test, digest, variant: variant?.name, note: variant?.note };
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
  return definition.origin === 'shipped'
    ? `Restore the files that come with the program: git checkout -- datasets/${definition.name}`
    : `Fetch what is missing or damaged: densenet data fetch ${definition.name}`;
}
