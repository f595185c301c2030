import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { fileSize, streamFile } from '../../util/read-files.js';
import type { DataFile, SourceFile } from '../dataset.js';
import { FormatError } from '../formats/format-error.js';
import { type Fingerprint, Fingerprinter, fingerprint } from './digest.js';
import type { ManifestEntry } from './manifest.js';

/** Where data files go. */
export interface Destination {
  /** Their final place. */
  readonly folder: string;
  /** Where they are until they are whole; on the same file system. */
  readonly workspace: string;
  readonly signal?: AbortSignal;
}

/** Throws `FormatError` unless the file has the published size and digest. */
export async function checkSource(
  path: string,
  source: SourceFile,
  signal?: AbortSignal,
): Promise<ManifestEntry> {
  compareSize(path, source.bytes, await fileSize(path));
  const found = await fingerprint(path, { md5: false, signal });
  compare(path, { bytes: source.bytes, sha256: source.sha256 }, found);
  return { name: source.name, bytes: found.bytes, sha256: found.sha256 };
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
    compare(path, file, found);
    return await moveIntoPlace(temporary, { name: file.name, bytes: found.bytes, sha256: found.sha256 }, to);
  } catch (error) {
    await rm(temporary, { force: true });
    throw unpackingError(path, error);
  }
}

function compare(
  path: string,
  expected: { bytes: number; sha256?: string; md5?: string },
  found: Fingerprint,
): void {
  compareSize(path, expected.bytes, found.bytes);
  if (expected.sha256 !== undefined && expected.sha256 !== found.sha256) {
    throw new FormatError(path, `has SHA-256 ${found.sha256}, expected ${expected.sha256}`);
  }
  if (expected.md5 !== undefined && expected.md5 !== found.md5) {
    throw new FormatError(path, `has MD5 ${found.md5}, expected ${expected.md5}`);
  }
}

function compareSize(path: string, expected: number, found: number): void {
  if (found === expected) return;
  const size = found > expected ? `more than ${expected}` : `${found}`;
  throw new FormatError(path, `holds ${size} bytes, expected ${expected}`);
}

/** Errors of gunzip and tar are about the file; errors of the system (their code begins with E) and aborts are not. */
function unpackingError(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof FormatError || error.name === 'AbortError') return error;
  const code = 'code' in error ? String(error.code) : '';
  if (/^E[A-Z]/.test(code) && !code.startsWith('ERR_')) return error;
  return new FormatError(path, `does not unpack (${error.message})`, { cause: error });
}
