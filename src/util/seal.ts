import { createHash } from 'node:crypto';

/**
 * A safetensors file that carries the SHA-256 of its own bytes, in its metadata. So content and digest are one file,
 * and a kill cannot come between them. The digest is of all bytes, with its own 64 digits taken as zeros.
 */
const KEY = 'densenet.sha256';
const BLANK = '0'.repeat(64);

/** Metadata of a file that is to be sealed. */
export const UNSEALED = { [KEY]: BLANK };

/** Writes the digest into a file that was encoded with `UNSEALED` among its metadata; returns the file. */
export function seal(bytes: Uint8Array): Uint8Array {
  const at = placeOf(bytes, BLANK);
  if (at === undefined) throw new Error('the file has no place for its digest');
  bytes.set(Buffer.from(digestOf(bytes, at)), at);
  return bytes;
}

/** Whether the bytes are those that were sealed, by the file's metadata; true for files that never were. */
export function isIntact(bytes: Uint8Array, metadata: Readonly<Record<string, string>>): boolean {
  const digest = metadata[KEY];
  if (digest === undefined) return true;
  const at = placeOf(bytes, digest);
  return at !== undefined && digestOf(bytes, at) === digest;
}

/** Where the digest stands. */
function placeOf(bytes: Uint8Array, digest: string): number | undefined {
  const before = `"${KEY}":"`;
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(`${before}${digest}"`);
  return at < 0 || digest.length !== BLANK.length ? undefined : at + before.length;
}

function digestOf(bytes: Uint8Array, at: number): string {
  const hash = createHash('sha256');
  hash.update(bytes.subarray(0, at)).update(BLANK);
  return hash.update(bytes.subarray(at + BLANK.length)).digest('hex');
}
