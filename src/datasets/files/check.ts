import { join } from 'node:path';
import { statOf } from '../../util/files.js';
import type { DataFile, DatasetDefinition } from '../dataset.js';
import type { DatasetCheck, DatasetStatus, FileCheck, FileStatus, VerifyOptions } from '../store.js';
import { fingerprint } from './digest.js';
import { explainDiskErrors } from './explain-disk-errors.js';
import { datasetFolder } from './folder.js';
import { datasetDigest, type ManifestEntry, readManifest } from './manifest.js';

/** Reads every data file and compares its size and digest with the published or the recorded ones. */
export async function checkFiles(
  definition: DatasetDefinition,
  folder: string,
  options: VerifyOptions = {},
): Promise<DatasetCheck> {
  const own = datasetFolder(definition, folder);
  return explainDiskErrors(own, async () => {
    const manifest = await readManifest(definition, own);
    const files: FileCheck[] = [];
    for (const file of definition.files) {
      files.push(await checkFile(file, join(own, file.name), manifest?.get(file.name), options));
    }
    const recorded = manifest !== undefined;
    return {
      folder: own,
      recorded,
      whole: recorded && files.every((file) => file.status === 'whole'),
      files,
    };
  });
}

async function checkFile(
  file: DataFile,
  path: string,
  recorded: ManifestEntry | undefined,
  options: VerifyOptions,
): Promise<FileCheck> {
  const bytes = (await statOf(path))?.size;
  const result = (status: FileStatus, sha256?: string) => ({
    name: file.name,
    path,
    status,
    bytes: bytes ?? 0,
    sha256,
  });
  if (bytes === undefined) return result('missing');
  if (bytes !== file.bytes) return result('wrong size');
  const sha256 = file.sha256 ?? recorded?.sha256;
  if (sha256 === undefined && file.md5 === undefined) return result('unrecorded');
  const found = await fingerprint(path, { ...options, md5: file.md5 !== undefined });
  const right = found.sha256 === (sha256 ?? found.sha256) && found.md5 === file.md5;
  return right ? result('whole', found.sha256) : result('wrong digest');
}

/** A status with the recorded digests, when it is present. */
export interface RecordedStatus extends DatasetStatus {
  readonly manifest: ReadonlyMap<string, ManifestEntry> | undefined;
}

/** Whether every file has its size and there is a manifest of them; reads no data file. */
export async function filesStatus(definition: DatasetDefinition, folder: string): Promise<RecordedStatus> {
  const own = datasetFolder(definition, folder);
  return explainDiskErrors(own, async () => {
    const sizes = await Promise.all(
      definition.files.map(async (file) => (await statOf(join(own, file.name)))?.size),
    );
    const manifest = await readManifest(definition, own);
    const complete = definition.files.every((file, i) => sizes[i] === file.bytes);
    return {
      folder: own,
      present: manifest !== undefined && complete,
      bytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0),
      digest: manifest && datasetDigest(definition, manifest),
      manifest: complete ? manifest : undefined,
    };
  });
}
