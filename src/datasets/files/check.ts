import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../util/errors.js';
import type { DataFile, DatasetDefinition } from '../dataset.js';
import { fingerprint } from './digest.js';
import { explainDiskErrors } from './disk-error.js';
import { datasetFolder } from './folder.js';
import { type ManifestEntry, readManifest } from './manifest.js';

/** `unrecorded`: the size is right, but no digest is published and the manifest that would know it is missing. */
export type FileStatus = 'whole' | 'missing' | 'wrong size' | 'wrong digest' | 'unrecorded';

export interface FileCheck {
  readonly name: string;
  readonly path: string;
  readonly status: FileStatus;
  /** Size on disk; 0 when missing. */
  readonly bytes: number;
  /** SHA-256 of the file, where it was read and is whole. */
  readonly sha256: string | undefined;
}

export interface DatasetCheck {
  readonly folder: string;
  /** There is a manifest of these files. */
  readonly recorded: boolean;
  /** It is recorded and every file is whole. */
  readonly whole: boolean;
  readonly files: readonly FileCheck[];
}

export interface CheckOptions {
  /** Hears how many bytes were read since the last call. */
  readonly onBytes?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/** Reads every data file and compares its size and digest with the published or the recorded ones. */
export async function checkDefinition(
  definition: DatasetDefinition,
  folder: string,
  options: CheckOptions = {},
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
  options: CheckOptions,
): Promise<FileCheck> {
  const bytes = await sizeOf(path);
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

/** What can be said without reading the files: enough to notice what is missing or cut short. */
export interface DatasetStatus {
  readonly folder: string;
  /** The manifest is there and every file has its size. */
  readonly present: boolean;
  /** Size of the data files on disk. */
  readonly bytes: number;
  /** Images that are present, where that may be fewer than the definition says. */
  readonly counts?: { readonly train: number; readonly test: number };
}

/** With the recorded digests, when it is present. */
export interface RecordedStatus extends DatasetStatus {
  readonly manifest: ReadonlyMap<string, ManifestEntry> | undefined;
}

export async function definitionStatus(
  definition: DatasetDefinition,
  folder: string,
): Promise<RecordedStatus> {
  const own = datasetFolder(definition, folder);
  return explainDiskErrors(own, async () => {
    const sizes = await Promise.all(definition.files.map((file) => sizeOf(join(own, file.name))));
    const manifest = await readManifest(definition, own);
    const complete = definition.files.every((file, i) => sizes[i] === file.bytes);
    return {
      folder: own,
      present: manifest !== undefined && complete,
      bytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0),
      manifest: complete ? manifest : undefined,
    };
  });
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
