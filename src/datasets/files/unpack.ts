import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { streamFile } from '../../util/read-files.js';
import type { DataFile } from '../dataset.js';
import { FormatError } from '../formats/format-error.js';
import { Fingerprinter } from './digest.js';
import { checkContent } from './integrity.js';
import type { ManifestEntry } from './manifest.js';

/** Where data files go. */
export interface Destination {
  /** Their final place. */
  readonly folder: string;
  /** Where they are until they are whole; on the same file system. */
  readonly workspace: string;
  readonly signal?: AbortSignal;
}

/** Moves a file that is whole into place. */
export async function moveIntoPlace(
  path: string,
  entry: ManifestEntry,
  to: Destination,
): Promise<ManifestEntry> {
  await rename(path, join(to.folder, entry.name));
  return entry;
}

/** Copies a data file into place, unpacking it if its name ends with `.gz`. Throws `FormatError`. */
export async function storeFile(path: string, file: DataFile, to: Destination): Promise<ManifestEntry> {
  const source = await streamFile(path, { signal: to.signal });
  if (!path.endsWith('.gz')) return storeStream(path, file, source, to);
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error)).pipe(gunzip);
  try {
    return await storeStream(path, file, gunzip, to);
  } finally {
    source.destroy();
  }
}

/** Unpacks the wanted files of a `.tar.gz` into place, one at a time. Throws `FormatError`. */
export async function storeArchive(
  path: string,
  wanted: readonly DataFile[],
  to: Destination,
): Promise<ManifestEntry[]> {
  const archive = extract();
  const reading = pipeline(await streamFile(path), createGunzip(), archive, {
    signal: to.signal,
  });
  reading.catch(() => undefined);
  const stored: ManifestEntry[] = [];
  try {
    for await (const entry of archive) {
      const file = wanted.find(
        (one) => entry.header.type === 'file' && one.name === basename(entry.header.name),
      );
      if (file) stored.push(await storeStream(path, file, entry as AsyncIterable<Uint8Array>, to));
      else entry.resume();
    }
    await reading;
  } catch (error) {
    throw unpackingError(path, error);
  }
  const missing = wanted.find((file) => !stored.some((entry) => entry.name === file.name));
  if (missing) throw new FormatError(path, `does not contain ${missing.name}`);
  return stored;
}

async function storeStream(
  path: string,
  file: DataFile,
  content: AsyncIterable<Uint8Array>,
  to: Destination,
): Promise<ManifestEntry> {
  const temporary = join(to.workspace, `${file.name}.tmp`);
  const printer = new Fingerprinter({ md5: file.md5 !== undefined });
  async function* measured() {
    for await (const chunk of content) {
      printer.update(chunk);
      if (printer.bytes > file.bytes) break;
      yield chunk;
    }
  }
  try {
    await pipeline(measured, createWriteStream(temporary, { flush: true }), { signal: to.signal });
    const found = printer.finish();
    checkContent(path, file, found);
    return await moveIntoPlace(temporary, { name: file.name, bytes: found.bytes, sha256: found.sha256 }, to);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw unpackingError(path, error);
  }
}

/** Errors of gunzip and tar are about the file; errors of the system (their code begins with E) and aborts are not. */
function unpackingError(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof FormatError || error.name === 'AbortError') return error;
  const code = 'code' in error ? String(error.code) : '';
  if (/^E[A-Z]/.test(code) && !code.startsWith('ERR_')) return error;
  return new FormatError(path, `does not unpack (${error.message})`, { cause: error });
}
