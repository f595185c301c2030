import { fileSize } from '../../util/read-files.js';
import type { SourceFile } from '../dataset.js';
import { FormatError } from '../formats/format-error.js';
import { type Fingerprint, fingerprint } from './digest.js';
import type { ManifestEntry } from './manifest.js';

/** Throws `FormatError` unless the file has the published size and digest. */
export async function checkSource(
  path: string,
  source: SourceFile,
  signal?: AbortSignal,
): Promise<ManifestEntry> {
  compareSize(path, source.bytes, await fileSize(path));
  const found = await fingerprint(path, { md5: false, signal });
  checkContent(path, { bytes: source.bytes, sha256: source.sha256 }, found);
  return { name: source.name, bytes: found.bytes, sha256: found.sha256 };
}

/** Throws `FormatError` unless the content found in `path` has the size and the digests that were published. */
export function checkContent(
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
