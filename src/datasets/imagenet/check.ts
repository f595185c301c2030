import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { statOf } from '../../util/files.js';
import { FILES_AT_ONCE, streamFile } from '../../util/read-files.js';
import { explainDiskErrors } from '../files/explain-disk-errors.js';
import { datasetFolder } from '../files/folder.js';
import type { DatasetCheck, FileCheck, FileStatus, VerifyOptions } from '../store.js';
import { imagenet } from './definition.js';
import { indexPath, readIndex } from './index-file.js';
import type { ImagePlace, SplitIndex } from './split-index.js';

/**
 * Reads the archives that the index refers to and compares their MD5 with what it was when they were indexed, which
 * for the published ones is the published one. Of images in folders, only the sizes are known and compared.
 */
export async function checkImageNet(folder: string, options: VerifyOptions = {}): Promise<DatasetCheck> {
  const own = datasetFolder(imagenet, folder);
  return explainDiskErrors(own, async () => {
    const index = await readIndex(own);
    if (!index) return { folder: own, recorded: false, whole: false, files: [missingIndex(own)] };
    const files: FileCheck[] = [];
    for (const split of [index.train, index.test]) {
      if (split.place.kind === 'archive') files.push(await checkArchive(split.place, options));
      else files.push(await checkFiles(split, options));
    }
    return { folder: own, recorded: true, whole: files.every((file) => file.status === 'whole'), files };
  });
}

function missingIndex(own: string): FileCheck {
  return { name: 'index', path: indexPath(own), status: 'missing', bytes: 0, sha256: undefined };
}

async function checkArchive(
  place: Extract<ImagePlace, { kind: 'archive' }>,
  { onBytes, signal }: VerifyOptions,
): Promise<FileCheck> {
  const { path } = place;
  const found = await statOf(path);
  const result = (status: FileStatus): FileCheck => {
    return { name: basename(path), path, status, bytes: found?.size ?? 0, sha256: undefined };
  };
  if (!found) return result('missing');
  if (found.size !== place.bytes) return result('wrong size');
  const md5 = createHash('md5');
  for await (const chunk of await streamFile(path, { signal })) {
    md5.update(chunk);
    onBytes?.(chunk.length);
  }
  return result(md5.digest('hex') === place.md5 ? 'whole' : 'wrong digest');
}

/** All image files of a split as one: what is wrong with the first bad one, under its name. */
async function checkFiles(split: SplitIndex, { onBytes, signal }: VerifyOptions): Promise<FileCheck> {
  let bytes = 0;
  for (let first = 0; first < split.count; first += FILES_AT_ONCE) {
    signal?.throwIfAborted();
    const some = Array.from({ length: Math.min(FILES_AT_ONCE, split.count - first) }, (_, k) =>
      split.locate(first + k),
    );
    const found = await Promise.all(some.map(({ path }) => statOf(path)));
    for (const [k, file] of some.entries()) {
      const size = found[k]?.size;
      if (size !== file.bytes) {
        const status = size === undefined ? 'missing' : 'wrong size';
        return { name: file.path, path: file.path, status, bytes: size ?? 0, sha256: undefined };
      }
      bytes += size;
      onBytes?.(size);
    }
  }
  const { path } = split.place;
  return { name: basename(path), path, status: 'whole', bytes, sha256: undefined };
}
