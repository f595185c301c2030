import type { Dataset, DatasetName } from './dataset.js';
import { definition } from './definitions.js';
import { checkDefinition, type DatasetCheck, type DatasetStatus, definitionStatus } from './files/check.js';
import { type FetchOptions, fetchDefinition } from './files/fetch.js';
import { checkImageNet } from './imagenet/check.js';
import { fetchImageNet } from './imagenet/fetch.js';
import { imagenetStatus, loadImageNet } from './imagenet/status.js';
import { loadDefinition } from './load.js';

export { datasetName, definition, definitions } from './definitions.js';
export type { DatasetCheck, DatasetStatus, FileCheck, FileStatus } from './files/check.js';
export type { FetchOptions } from './files/fetch.js';
export { dataFolder, datasetFolder, isShipped } from './files/folder.js';
export { checkHoldOut, type HeldOut, holdOut } from './hold-out.js';

/** Makes the dataset whole on disk, as `fetchDefinition` or `fetchImageNet`; returns whether there was anything to do. */
export function fetchDataset(name: DatasetName, options: FetchOptions): Promise<boolean> {
  return name === 'imagenet' ? fetchImageNet(options) : fetchDefinition(definition(name), options);
}

/** Reads every file and compares its digest, as `checkDefinition` or `checkImageNet`. */
export function verifyDataset(
  name: DatasetName,
  folder: string,
  onBytes?: (bytes: number) => void,
): Promise<DatasetCheck> {
  return name === 'imagenet'
    ? checkImageNet(folder, { onBytes })
    : checkDefinition(definition(name), folder, { onBytes });
}

/** Whether the dataset is present, without reading the files, as `definitionStatus` or `imagenetStatus`. */
export function datasetStatus(name: DatasetName, folder: string): Promise<DatasetStatus> {
  return name === 'imagenet' ? imagenetStatus(folder) : definitionStatus(definition(name), folder);
}

/** Opens the dataset, as `loadDefinition` (all in memory) or `loadImageNet` (decoded when needed). */
export function loadDataset(name: DatasetName, folder: string): Promise<Dataset> {
  return name === 'imagenet' ? loadImageNet(folder) : loadDefinition(definition(name), folder);
}
