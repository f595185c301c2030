import { UserError } from '../../util/errors.js';
import { statOf } from '../../util/files.js';
import { formatCount } from '../../util/format.js';
import type { DatasetOf, ImageFiles } from '../dataset.js';
import { explainDiskErrors } from '../files/explain-disk-errors.js';
import { datasetFolder } from '../files/folder.js';
import type { DatasetStatus } from '../store.js';
import { imagenetClasses } from './classes.js';
import { imagenet } from './definition.js';
import { type ImageNetIndex, indexDigest, readIndex } from './index-file.js';
import type { SplitIndex } from './split-index.js';

/** Whether there is an index, and the archives that it refers to; reads no image. */
export async function imagenetStatus(folder: string): Promise<DatasetStatus> {
  const own = datasetFolder(imagenet, folder);
  return explainDiskErrors(own, async () => {
    const index = await readIndex(own);
    if (!index) return { folder: own, present: false, bytes: 0 };
    const present = (await whatIsMissing(index)) === undefined;
    const counts = { train: index.train.count, test: index.test.count };
    return {
      folder: own,
      present,
      bytes: present ? totalBytes(index) : 0,
      digest: indexDigest(index),
      counts,
    };
  });
}

/** Size of the archives, or of the image files. */
function totalBytes({ train, test }: ImageNetIndex): number {
  return [train, test].reduce((sum, split) => sum + splitBytes(split), 0);
}

function splitBytes({ place, columns }: SplitIndex): number {
  return place.kind === 'archive' ? place.bytes : columns.sizes.reduce((sum, bytes) => sum + bytes, 0);
}

/** Says which archive or folder is not where it was; undefined if all are. Throws nothing: the caller decides. */
export async function whatIsMissing({ train, test }: ImageNetIndex): Promise<UserError | undefined> {
  for (const { place } of [train, test]) {
    const found = await statOf(place.path);
    if (!found) {
      return new UserError(
        'data',
        `ImageNet is not where it was indexed: ${place.path} is gone`,
        'If you moved it, say where it is now: densenet data fetch imagenet --from DIR',
      );
    }
    if (place.kind === 'archive' && found.size !== place.bytes) {
      return new UserError(
        'data',
        `${place.path} has changed: it has ${found.size} bytes, and had ${place.bytes} when it was indexed`,
        'Put the archive back, or index what is there: densenet data fetch imagenet --from DIR',
      );
    }
  }
  return undefined;
}

/** One line that says how far this is from the published data; undefined if it is all of it. */
export function incompleteness({ train, test }: Pick<ImageNetIndex, 'train' | 'test'>): string | undefined {
  const classes = new Set(train.labels).size;
  const parts = [
    [classes, imagenetClasses().length, 'classes'],
    [train.count, imagenet.trainCount, 'training images'],
    [test.count, imagenet.testCount, 'validation images'],
  ] as const;
  if (parts.every(([found, published]) => found === published)) return undefined;
  const list = parts.map(([found, all, what]) => `${formatCount(found)} of ${formatCount(all)} ${what}`);
  return `This is not the full ILSVRC2012: ${list.join(', ')}.`;
}

/** Opens the index. Throws a UserError (data) where there is none, or the archives are not where they were. */
export async function loadImageNet(folder: string): Promise<DatasetOf<ImageFiles>> {
  const own = datasetFolder(imagenet, folder);
  const index = await explainDiskErrors(own, () => readIndex(own));
  if (!index) {
    throw new UserError(
      'data',
      `there is no index of ${imagenet.title} in ${own}`,
      'Make it from the archives: densenet data fetch imagenet --from DIR',
    );
  }
  const missing = await whatIsMissing(index);
  if (missing) throw missing;
  const { train, test } = index;
  return { definition: imagenet, train, test, digest: indexDigest(index), note: incompleteness(index) };
}
