import type { DatasetDefinition, DatasetOf, ImageSet } from '../dataset.js';
import type { DatasetStore } from '../store.js';
import { checkFiles, filesStatus } from './check.js';
import { fetchFiles } from './fetch.js';
import { loadFiles, type Reader } from './load.js';

/** A dataset of a few files that are downloaded, or come with the program, and are read into memory by `read`. */
export function filesStore(definition: DatasetDefinition, read: Reader): DatasetStore<DatasetOf<ImageSet>> {
  return {
    fetch: (options) => fetchFiles(definition, read, options),
    status: (folder) => filesStatus(definition, folder),
    verify: (folder, options) => checkFiles(definition, folder, options),
    load: (folder) => loadFiles(definition, read, folder),
  };
}
