import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../util/errors.js';
import type { DataFile, SourceFile } from '../dataset.js';
import { FormatError } from '../formats/format-error.js';
import type { FetchOptions } from '../store.js';
import { download, OTHER_WAYS, PATIENT } from './download.js';
import { checkSource } from './integrity.js';
import type { ManifestEntry } from './manifest.js';
import { type Destination, moveIntoPlace, storeArchive, storeFile } from './unpack.js';

type DownloadSourceOptions = Pick<FetchOptions, 'mirror' | 'reporter' | 'retry'>;

/**
 * Downloads a source, checks it and puts the wanted files into place. Wrong bytes are downloaded once more,
 * from the start: the partial file may have been of another version. Throws `UserError`.
 */
export async function downloadSource(
  source: SourceFile,
  wanted: readonly DataFile[],
  to: Destination,
  options: DownloadSourceOptions,
): Promise<ManifestEntry[]> {
  const url = options.mirror ? `${options.mirror.replace(/\/+$/, '')}/${source.name}` : source.url;
  const path = join(to.workspace, source.name);
  for (let again = false; ; again = true) {
    await downloadWithBar(source, url, path, wanted, to, options);
    try {
      return await unpack(source, path, wanted, to);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      await rm(path);
      if (again) throw notPublished(url, error);
      options.reporter.warn(`${url} is not the published file; downloading it once more`);
    }
  }
}

function notPublished(url: string, cause: FormatError): UserError {
  return new UserError('data', `${url} is not the published file: ${cause.problem}`, OTHER_WAYS, { cause });
}

async function downloadWithBar(
  source: SourceFile,
  url: string,
  path: string,
  wanted: readonly DataFile[],
  to: Destination,
  options: DownloadSourceOptions,
): Promise<void> {
  const open = () => options.reporter.bar(source.name, source.bytes, 'bytes');
  const repacked = source.packing === 'gzip';
  let bar = open();
  try {
    await download({
      url,
      path,
      bytes: repacked ? undefined : source.bytes,
      maxBytes: repacked ? gzipLimit(wanted) : source.bytes,
      retry: options.retry ?? PATIENT,
      onProgress: (bytes) => bar.update(bytes),
      onRetry: (problem, delay) => {
        bar.finish();
        options.reporter.warn(`${url}: ${problem}; trying again in ${Math.ceil(delay / 1000)} s`);
        bar = open();
      },
      signal: to.signal,
    });
  } finally {
    bar.finish();
  }
}

/** The most that gzip makes of files: it adds less than a thousandth and a header. */
function gzipLimit(files: readonly DataFile[]): number {
  return files.reduce((sum, file) => sum + Math.ceil(1.001 * file.bytes) + 1024, 0);
}

async function unpack(source: SourceFile, path: string, wanted: readonly DataFile[], to: Destination) {
  switch (source.packing) {
    case 'plain':
      return [await moveIntoPlace(path, await checkSource(path, source, to.signal), to)];
    case 'gzip':
      return [await storeFile(path, wanted[0]!, to)];
    case 'tar.gz':
      await checkSource(path, source, to.signal);
      return storeArchive(path, wanted, to);
  }
}
