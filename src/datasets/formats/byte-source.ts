import { createGunzip, createInflate } from 'node:zlib';
import { formatBytes } from '../../util/format.js';
import { streamFile } from '../../util/read-files.js';
import { FormatError } from './format-error.js';

/** How bytes are stored: as they are, in a gzip file, or in a zlib stream. */
export type Compression = 'none' | 'gzip' | 'zlib';

/** A byte range of a file; the whole file when left out. `end` is exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface ByteSourceOptions {
  readonly range?: ByteRange;
  /** Bytes that may come, decompressed; as many as there are when left out. */
  readonly most?: number;
  /** Hears each (decompressed) chunk as it is read, in order. */
  readonly onChunk?: (chunk: Buffer) => void;
}

/**
 * Reads a file, or a range of it, front to back, decompressing on the way. Holds one chunk at a time.
 * Every method throws `FormatError` when the bytes end early, are too many or do not decompress, and a UserError (data)
 * for what is no file.
 */
export class ByteSource {
  readonly path: string;
  readonly #chunks: AsyncIterator<Buffer>;
  #current: Buffer = Buffer.alloc(0);
  #position = 0;
  /** Bytes of all chunks so far. */
  #came = 0;

  constructor(
    path: string,
    compression: Compression,
    private readonly options: ByteSourceOptions = {},
  ) {
    this.path = path;
    this.#chunks = decompressed(path, compression, options.range)[Symbol.asyncIterator]();
  }

  /** How many (decompressed) bytes were read so far. */
  get position(): number {
    return this.#position;
  }

  /** The next bytes, as they come: at least 1, at most `limit`. */
  async some(limit: number): Promise<Buffer> {
    if (this.#current.length === 0 && !(await this.#advance())) {
      throw new FormatError(this.path, 'ends early; it is truncated or damaged');
    }
    const part = this.#current.subarray(0, limit);
    this.#current = this.#current.subarray(part.length);
    this.#position += part.length;
    return part;
  }

  /** Fills `target` with the next bytes. */
  async fill(target: Uint8Array): Promise<void> {
    let done = 0;
    while (done < target.length) {
      const part = await this.some(target.length - done);
      target.set(part, done);
      done += part.length;
    }
  }

  /** The next `length` bytes. */
  async read(length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    await this.fill(bytes);
    return bytes;
  }

  /** Passes over the next `length` bytes. */
  async skip(length: number): Promise<void> {
    let left = length;
    while (left > 0) left -= (await this.some(left)).length;
  }

  /** Reads to the end, which checks the checksum of compressed bytes. */
  async drain(): Promise<void> {
    while (await this.#advance());
  }

  /** Checks that nothing is left; for compressed bytes this also checks their checksum. */
  async end(): Promise<void> {
    if (this.#current.length > 0 || (await this.#advance())) {
      throw new FormatError(this.path, 'continues past its end; it is damaged or in another format');
    }
  }

  /** Stops reading; must be called unless `end` was reached. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #advance(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done) return false;
    this.#current = next.value;
    this.#came += next.value.length;
    const { most, onChunk } = this.options;
    if (most !== undefined && this.#came > most) {
      throw new FormatError(this.path, `holds more than ${formatBytes(most)}, which is unlikely`);
    }
    onChunk?.(next.value);
    return true;
  }
}

async function* decompressed(
  path: string,
  compression: Compression,
  range?: ByteRange,
): AsyncGenerator<Buffer> {
  const file = await streamFile(path, range && { start: range.start, end: range.end - 1 });
  const options = { chunkSize: 1 << 17 };
  const unzip =
    compression === 'gzip'
      ? createGunzip(options)
      : compression === 'zlib'
        ? createInflate(options)
        : undefined;
  try {
    if (unzip) file.on('error', (error) => unzip.destroy(error)).pipe(unzip);
    for await (const chunk of unzip ?? file) yield chunk;
  } catch (error) {
    if (isZlibError(error))
      throw new FormatError(path, `does not decompress (${error.message})`, { cause: error });
    throw error;
  } finally {
    file.destroy();
    unzip?.destroy();
  }
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}
