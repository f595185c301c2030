import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { systemCode } from '../../util/errors.js';

/** The head of a response, and its body still to be read. */
export interface HttpResponse {
  readonly status: number;
  readonly statusText: string;
  /** Size of the whole file, where the server says it. */
  readonly total: number | undefined;
  /** First byte of the range that a 206 response carries. */
  readonly rangeStart: number | undefined;
  /** What to send as `If-Range`: the strong ETag, else the date of the last change. */
  readonly validator: string | undefined;
  /** `Retry-After`, in milliseconds. */
  readonly retryAfter: number | undefined;
  readonly body: AsyncIterable<Buffer>;
  /** Drops the connection; reading the body fails with the reason. */
  close(reason?: Error): void;
}

export interface RequestOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds in which the head of an answer must have come. */
  readonly patience: number;
  readonly signal?: AbortSignal;
}

const MOST_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * GET, following redirects. Not `fetch`: that decodes `Content-Encoding: gzip` unasked, with which some servers
 * label .gz files, so that neither digests nor byte ranges fit.
 * Throws the network's error, also while the body is read.
 */
export async function request(url: string, options: RequestOptions): Promise<HttpResponse> {
  let target = new URL(url);
  for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
    const message = await get(target, options);
    const location = message.headers.location;
    if (location === undefined || !REDIRECTS.includes(message.statusCode!)) return describe(message);
    message.destroy();
    target = new URL(location, target);
  }
  throw new Error(`more than ${MOST_REDIRECTS} redirects`);
}

function get(url: URL, { headers, patience, signal }: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const client = url.protocol === 'https:' ? https : http;
    const outgoing = client.get(url, {
      headers: { 'user-agent': 'densenet', 'accept-encoding': 'identity', connection: 'close', ...headers },
      signal,
    });
    const giveUp = () => outgoing.destroy(new Error(`no answer came in ${patience / 1000} s`));
    const timer = setTimeout(giveUp, patience);
    outgoing.on('response', (response) => {
      clearTimeout(timer);
      resolve(response);
    });
    outgoing.on('error', reject);
    // A switch to another protocol ends with neither a response nor an error.
    outgoing.on('close', () => {
      clearTimeout(timer);
      reject(new Error('the connection broke off'));
    });
  });
}

function describe(message: IncomingMessage): HttpResponse {
  const { headers } = message;
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers['content-range'] ?? '');
  const total = message.statusCode === 200 ? headers['content-length'] : range?.[2];
  const etag = /^"[\x21\x23-\x7e]*"$/.test(headers.etag ?? '') ? headers.etag : undefined;
  const changed = Date.parse(headers['last-modified'] ?? '');
  return {
    status: message.statusCode!,
    statusText: (message.statusMessage ?? '').slice(0, 80),
    total: wholeNumber(total),
    rangeStart: wholeNumber(range?.[1]),
    validator: etag ?? (Number.isNaN(changed) ? undefined : new Date(changed).toUTCString()),
    retryAfter: retryAfter(headers['retry-after']),
    body: message,
    close: (reason) => message.destroy(reason),
  };
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function retryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = wholeNumber(header);
  const delay = seconds === undefined ? Date.parse(header) - Date.now() : seconds * 1000;
  return Number.isNaN(delay) ? undefined : Math.max(delay, 0);
}

/** A network error in words a person understands, without the host: the caller names the address. */
export function explainNetworkError(error: unknown): string {
  const code = systemCode(error);
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name was not found';
    case 'ECONNREFUSED':
      return 'the host refuses the connection';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the connection broke off';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return 'the host cannot be reached';
    default:
      return (error instanceof Error && error.message) || code || String(error);
  }
}
