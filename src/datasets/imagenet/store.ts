import type { DatasetOf, ImageFiles } from '../dataset.js';
import type { DatasetStore } from '../store.js';
import { checkImageNet } from './check.js';
import { fetchImageNet } from './fetch.js';
import { imagenetStatus, loadImageNet } from './status.js';

/** ImageNet as an index of the archives, or of the folders they unpack to, that a person brings. */
export const imagenetStore: DatasetStore<DatasetOf<ImageFiles>> = {
  fetch: fetchImageNet,
  status: imagenetStatus,
  verify: checkImageNet,
  load: loadImageNet,
};
