import { cifar10, cifar100, readCifar } from './cifar.js';
import { type Dataset, type DatasetName, FOLDER } from './dataset.js';
import type { ConfiguredDataset } from './definitions.js';
import { fashionMnist, fashionMnistMini, readFashionMnist } from './fashion-mnist.js';
import { filesStore } from './files/store.js';
import { folderChoice } from './folder/definition.js';
import { listFolder } from './folder/listing.js';
import { imagenetStore } from './imagenet/store.js';
import type { DatasetCheck, DatasetStatus, DatasetStore, FetchOptions, VerifyOptions } from './store.js';
import { readSvhn, svhn } from './svhn.js';

export { datasetName, definition, definitionOf, definitions } from './definitions.js';
export { dataFolder } from './files/folder.js';
export { checkFolders, knownFolders } from './folder/check.js';
export { checkHoldOut, type HeldOut, holdOut } from './hold-out.js';
export type { DatasetCheck, DatasetStatus, FetchOptions, FileCheck, FileStatus } from './store.js';

/** How each dataset is kept: as files that are downloaded, or as an index of archives that a person brings. */
const STORES: Readonly<Record<DatasetName, DatasetStore>> = {
  cifar10: filesStore(cifar10, readCifar),
  cifar100: filesStore(cifar100, readCifar),
  svhn: filesStore(svhn, readSvhn),
  'fashion-mnist': filesStore(fashionMnist, readFashionMnist),
  'fashion-mnist-mini': filesStore(fashionMnistMini, readFashionMnist),
  imagenet: imagenetStore,
};

/** As `DatasetStore.fetch`. */
export function fetchDataset(name: DatasetName, options: FetchOptions): Promise<boolean> {
  return STORES[name].fetch(options);
}

/** As `DatasetStore.status`. */
export function datasetStatus(name: DatasetName, folder: string): Promise<DatasetStatus> {
  return STORES[name].status(folder);
}

/** The same of a config's dataset: of a folder, where it lies itself. Throws as `listFolder`. */
export async function statusOf(dataset: ConfiguredDataset, folder: string): Promise<DatasetStatus> {
  if (dataset.name !== FOLDER) return datasetStatus(dataset.name, folder);
  const choice = folderChoice(dataset);
  const { train, test } = await listFolder(choice);
  const bytes = [...train, ...test].reduce((sum, image) => sum + image.bytes, 0);
  const counts = { train: train.length, test: test.length };
  return { folder: choice.path, present: true, bytes, counts };
}

/**
 * The digest of a config's dataset as it is on disk; undefined where it is not there, and for a folder, whose contents
 * are a part of the config.
 */
export async function presentDigest(
  { name }: ConfiguredDataset,
  folder: string,
): Promise<string | undefined> {
  if (name === FOLDER) return undefined;
  const { present, digest } = await datasetStatus(name, folder);
  return present ? digest : undefined;
}

/** As `DatasetStore.verify`. */
export function verifyDataset(
  name: DatasetName,
  folder: string,
  options?: VerifyOptions,
): Promise<DatasetCheck> {
  return STORES[name].verify(folder, options);
}

/** As `DatasetStore.load`: small images in memory, photographs in files. */
export function loadDataset(name: DatasetName, folder: string): Promise<Dataset> {
  return STORES[name].load(folder);
}
