import { open, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../util/errors.js';
import { statOf } from '../../util/files.js';
import { explainNetworkError, type HttpResponse, request } from './http.js';

/** When to try again after a failure that may pass. */
export interface RetryPolicy {
  /** Failures in a row before giving up. */
  readonly attempts: number;
  /** Wait after the first failure, in milliseconds; doubles with each one in a row. */
  readonly firstDelay: number;
  /** An attempt that brought this many bytes more than any before it ends the row. */
  readonly progress: number;
  /** Silence that counts as a failure, in milliseconds. */
  readonly stall: number;
  /** Bytes per second that must come on average, over every stretch of a stall's length: less is a failure too. */
  readonly slowest: number;
}

/** The slowest are as in dnf, a package manager that is used over lines of every kind. */
export const PATIENT: RetryPolicy = {
  attempts: 5,
  firstDelay: 1000,
  progress: 1 << 20,
  stall: 30_000,
  slowest: 1000,
};

const LONGEST_DELAY = 60_000;

export interface DownloadOptions {
  readonly url: string;
  /** The partial file: what it already holds is not asked for again. */
  readonly path: string;
  /** Exact size; undefined where the publisher's copy and a mirror's may differ. */
  readonly bytes: number | undefined;
  /** No more than this is accepted. */
  readonly maxBytes: number;
  readonly retry: RetryPolicy;
  /** Hears how much of the file is on disk. */
  readonly onProgress: (bytes: number) => void;
  /** Hears that an attempt failed and another follows after `delay` milliseconds. */
  readonly onRetry: (problem: string, delay: number) => void;
  readonly signal?: AbortSignal;
}

/** A failure that may pass. */
class Passing extends Error {
  /** The partial file cannot be continued. */
  readonly discard: boolean;
  /** When the server wants to be asked again, in milliseconds. */
  readonly retryAfter: number | undefined;

  constructor(problem: string, options: ErrorOptions & { discard?: boolean; retryAfter?: number } = {}) {
    super(problem, options);
    this.discard = options.discard ?? false;
    this.retryAfter = options.retryAfter;
  }
}

/**
 * Downloads `url` into `path`, continuing what is there, and trying again with growing waits. Does not know
 * whether the bytes are right: the caller checks their digest. Throws `UserError` when the server refuses
 * (4xx), offers or sends more than it may, or every attempt failed, an `AbortError` when aborted, and system errors of
 * the disk as they are.
 */
export async function download(options: DownloadOptions): Promise<void> {
  const { path, retry, signal } = options;
  let validator: string | undefined;
  let failures = 0;
  let most = (await statOf(path))?.size ?? 0;
  for (;;) {
    const onDisk = (await statOf(path))?.size ?? 0;
    if (onDisk > 0 && onDisk === options.bytes) return;
    try {
      const response = await ask(options, onDisk, validator);
      validator = response.validator;
      return await receive(response, onDisk, options);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Passing)) throw error;
      if (error.discard) await rm(path, { force: true });
      const size = (await statOf(path))?.size ?? 0;
      failures = size - most >= retry.progress ? 1 : failures + 1;
      most = Math.max(most, size);
      if (failures >= retry.attempts) throw gaveUp(options.url, error);
      const delay = Math.min(error.retryAfter ?? retry.firstDelay * 2 ** (failures - 1), LONGEST_DELAY);
      options.onRetry(error.message, delay);
      await sleep(delay, undefined, { signal });
    }
  }
}

/** What else a person can do when a download does not work. */
export const OTHER_WAYS = 'Try another host (--mirror URL), or a folder that has the files (--from DIR).';

function gaveUp(url: string, cause: Passing): UserError {
  const remedy = `Run the same command later; it continues where it stopped. ${OTHER_WAYS}`;
  return new UserError('data', `cannot download ${url}: ${cause.message}`, remedy, { cause });
}

async function ask(options: DownloadOptions, start: number, validator?: string): Promise<HttpResponse> {
  const ifRange: Record<string, string> = validator === undefined ? {} : { 'if-range': validator };
  const headers: Record<string, string> = start > 0 ? { range: `bytes=${start}-`, ...ifRange } : {};
  try {
    return await request(options.url, { headers, patience: options.retry.stall, signal: options.signal });
  } catch (error) {
    throw new Passing(explainNetworkError(error), { cause: error });
  }
}

async function receive(response: HttpResponse, onDisk: number, options: DownloadOptions): Promise<void> {
  try {
    if (response.status === 416 && onDisk > 0 && response.total === onDisk) return;
    checkHead(response, onDisk, options);
    const size = await save(response, response.status === 206 ? onDisk : 0, options);
    const expected = options.bytes ?? response.total ?? size;
    if (size !== expected) throw new Passing(`the connection ended after ${size} of ${expected} bytes`);
  } finally {
    response.close();
  }
}

/** A 200 carries the whole file: the server does not know ranges, or has another version of the file now. */
function checkHead(response: HttpResponse, onDisk: number, options: DownloadOptions): void {
  const { status, statusText, total, rangeStart, retryAfter } = response;
  if (status === 416 && onDisk > 0) {
    throw new Passing(`the server has fewer bytes than the ${onDisk} that are here`, { discard: true });
  }
  if (status >= 500 || status === 408 || status === 429) {
    throw new Passing(`the server answers ${status} ${statusText}`, { retryAfter });
  }
  if (status !== 200 && status !== 206) {
    throw new UserError(
      'data',
      `cannot download ${options.url}: the server answers ${status} ${statusText}`,
      OTHER_WAYS,
    );
  }
  if (status === 206 && rangeStart !== onDisk) {
    throw new Passing('the server sends another range than asked for', { discard: true });
  }
  if ((total ?? 0) > options.maxBytes) throw tooMuch(options, `offers ${total} bytes`);
  if (total !== undefined && total !== (options.bytes ?? total)) {
    throw new Passing(`the server offers ${total} bytes where ${options.bytes} are expected`);
  }
}

function tooMuch({ url, maxBytes }: DownloadOptions, what: string): UserError {
  const message = `cannot download ${url}: the server ${what} where ${maxBytes} are expected at most`;
  return new UserError('data', message, OTHER_WAYS);
}

/** Writes the body to the partial file from byte `from` on; returns the file's size. */
async function save(response: HttpResponse, from: number, options: DownloadOptions): Promise<number> {
  const file = await open(options.path, from > 0 ? 'r+' : 'w');
  let at = from;
  try {
    for await (const chunk of received(response, options.retry)) {
      if (at + chunk.length > options.maxBytes) {
        // What was here before may be of another version.
        if (from > 0) throw new Passing('the server has more bytes than expected', { discard: true });
        throw tooMuch(options, 'sends more');
      }
      for (let done = 0; done < chunk.length; ) {
        done += (await file.write(chunk, done, chunk.length - done, at + done)).bytesWritten;
      }
      at += chunk.length;
      options.onProgress(at);
    }
    await file.sync();
    return at;
  } finally {
    await file.close();
  }
}

/**
 * The body, with the network's errors told apart from the disk's. Throws where it falls silent or comes too slowly;
 * only waiting for the server counts, not for the disk.
 */
async function* received(
  { body, close }: HttpResponse,
  { stall, slowest }: RetryPolicy,
): AsyncGenerator<Buffer> {
  const giveUp = () => close(new Error(`no byte came for ${stall / 1000} s`));
  let timer = setTimeout(giveUp, stall);
  let asked = performance.now();
  let waited = 0;
  let bytes = 0;
  try {
    for await (const chunk of body) {
      clearTimeout(timer);
      waited += performance.now() - asked;
      bytes += chunk.length;
      if (waited >= stall) {
        if (bytes < (slowest * waited) / 1000) throw new Error(tooSlow(bytes, waited));
        waited = 0;
        bytes = 0;
      }
      yield chunk;
      asked = performance.now();
      timer = setTimeout(giveUp, stall);
    }
  } catch (error) {
    throw new Passing(explainNetworkError(error), { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function tooSlow(bytes: number, milliseconds: number): string {
  return `the server is too slow: ${bytes} byte${bytes === 1 ? '' : 's'} in ${(milliseconds / 1000).toFixed(1)} s`;
}
