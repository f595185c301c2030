import { statOf } from '../../util/files.js';
import { fingerprint } from '../files/digest.js';
import type { DatasetCheck, FileStatus, VerifyOptions } from '../store.js';
import { type FolderIndex, type KnownFile, readFolderIndexes } from './index-file.js';

/** A folder of images that was read for a run. */
export interface KnownFolder {
  readonly path: string;
  readonly images: number;
  readonly bytes: number;
  readonly present: boolean;
}

/** The folders that were read, by path; reads no image. */
export async function knownFolders(dataFolder: string): Promise<KnownFolder[]> {
  return Promise.all(
    (await readFolderIndexes(dataFolder)).map(async ({ path, files }) => {
      const all = Object.values(files);
      const bytes = all.reduce((sum, file) => sum + file.bytes, 0);
      return { path, images: all.length, bytes, present: (await statOf(path))?.isDirectory() ?? false };
    }),
  );
}

/** Reads every image of these folders and compares it with what it was; names those that are not the same. */
export async function checkFolders(dataFolder: string, options: VerifyOptions = {}): Promise<DatasetCheck> {
  const indexes = await readFolderIndexes(dataFolder);
  const checks = (await Promise.all(indexes.map((index) => checkFolder(index, options)))).flat();
  const whole = checks.every(({ status }) => status === 'whole');
  return { folder: dataFolder, recorded: indexes.length > 0, whole, files: checks };
}

async function checkFolder({ path, files }: FolderIndex, { onBytes, signal }: VerifyOptions) {
  const check = (name: string, status: FileStatus, bytes: number) => {
    return { name, path: name, status, bytes, sha256: undefined };
  };
  const bad = [];
  let total = 0;
  for (const [name, file] of Object.entries(files)) {
    const status = await fileStatus(name, file, signal);
    if (status !== 'whole') bad.push(check(name, status, (await statOf(name))?.size ?? 0));
    total += file.bytes;
    onBytes?.(file.bytes);
  }
  return bad.length > 0 ? bad : [check(path, 'whole', total)];
}

/** An image that could not be read then need not be readable now. */
async function fileStatus(
  path: string,
  { bytes, sha256 }: KnownFile,
  signal?: AbortSignal,
): Promise<FileStatus> {
  if (sha256 === '') return 'whole';
  const found = await statOf(path);
  if (!found?.isFile()) return 'missing';
  if (found.size !== bytes) return 'wrong size';
  return (await fingerprint(path, { md5: false, signal })).sha256 === sha256 ? 'whole' : 'wrong digest';
}
