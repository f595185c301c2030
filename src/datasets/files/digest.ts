import { createHash } from 'node:crypto';
import { streamFile } from '../../util/read-files.js';

/** What a file's bytes amount to. */
export interface Fingerprint {
  readonly bytes: number;
  readonly sha256: string;
  readonly md5: string | undefined;
}

/** Takes a fingerprint of bytes as they pass. MD5 only where nothing better is published. */
export class Fingerprinter {
  #bytes = 0;
  readonly #sha256 = createHash('sha256');
  readonly #md5;

  constructor(options: { md5: boolean }) {
    this.#md5 = options.md5 ? createHash('md5') : undefined;
  }

  get bytes(): number {
    return this.#bytes;
  }

  update(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    this.#sha256.update(chunk);
    this.#md5?.update(chunk);
  }

  finish(): Fingerprint {
    return { bytes: this.#bytes, sha256: this.#sha256.digest('hex'), md5: this.#md5?.digest('hex') };
  }
}

/** Reads a whole file. `onBytes` hears how many bytes each chunk had. */
export async function fingerprint(
  path: string,
  options: { md5: boolean; onBytes?: (bytes: number) => void; signal?: AbortSignal },
): Promise<Fingerprint> {
  const printer = new Fingerprinter(options);
  for await (const chunk of await streamFile(path, options)) {
    printer.update(chunk);
    options.onBytes?.(chunk.length);
  }
  return printer.finish();
}
