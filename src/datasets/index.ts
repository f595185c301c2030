import { checkDefinition, type DatasetCheck, type DatasetStatus, definitionStatus } from './check.js';
import type { Dataset, DatasetName } from './dataset.js';
import { definition } from './definitions.js';
import { type FetchOptions, fetchDefinition } from './fetch.js';
import { loadDefinition } from './load.js';

export type { DatasetCheck, DatasetStatus, FileCheck, FileStatus } from './check.js';
export { datasetName, definition, definitions } from './definitions.js';
export type { FetchOptions } from './fetch.js';
export { dataFolder, datasetFolder, isShipped } from './folder.js';
export { checkHoldOut, type HeldOut, holdOut } from './hold-out.js';

/** `fetchDefinition` by name: makes the dataset whole on disk; returns whether there was anything to do. */
export function fetchDataset(name: DatasetName, options: FetchOptions): Promise<boolean> {
  return fetchDefinition(definition(name), options);
}

/** `checkDefinition` by name: reads every file and compares its digest. */
export function verifyDataset(
  name: DatasetName,
  folder: string,
  onBytes?: (bytes: number) => void,
): Promise<DatasetCheck> {
  return checkDefinition(definition(name), folder, { onBytes });
}

/** `definitionStatus` by name: whether the dataset is present, without reading the files. */
export function datasetStatus(name: DatasetName, folder: string): Promise<DatasetStatus> {
  return definitionStatus(definition(name), folder);
}

/** `loadDefinition` by name: reads the dataset into memory. */
export function loadDataset(name: DatasetName, folder: string): Promise<Dataset> {
  return loadDefinition(definition(name), folder);
}
