import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemCode, UserError } from '../util/errors.js';
import { type Card, CardMaker, POLICY, watchPage } from './page.js';
import { RunWatcher, type WatchOptions } from './state.js';

/** Milliseconds between two looks at the runs, while somebody watches; with many runs as many times what one takes. */
const INTERVAL = 1000;
const SPARING = 10;
/** Milliseconds after which a browser that has lost the connection tries again. */
const RETRY = 2000;

/** This machine alone can reach it. */
const ADDRESS = '127.0.0.1';
/** How a browser of this machine calls the server. A name from elsewhere that leads here is another site's. */
const NAMES = [ADDRESS, 'localhost'];

export interface WatchServerOptions extends WatchOptions {
  /** 0 for any that is free. */
  readonly port: number;
  readonly title: string;
  /** Milliseconds between two looks; a second when undefined. */
  readonly interval?: number;
  /** Ends the server. */
  readonly signal: AbortSignal;
  /** What went wrong while the server goes on. */
  readonly onProblem: (message: string) => void;
}

/** A server that shows runs as they go. */
export interface WatchServer {
  readonly url: string;
  /** Resolves when the signal has ended it. */
  readonly ended: Promise<void>;
}

/** Starts the server. Throws a UserError (usage) if the port cannot be had. */
export async function startWatching(options: WatchServerOptions): Promise<WatchServer> {
  const page = new LivePage(options);
  const server = createServer((request, response) => {
    void page.answer(request, response);
  });
  await listen(server, options.port);
  const ended = once(server, 'close').then(() => {});
  const end = () => {
    page.end();
    server.close();
    server.closeAllConnections();
  };
  if (options.signal.aborted) end();
  else options.signal.addEventListener('abort', end, { once: true });
  return { url: `http://${ADDRESS}:${(server.address() as AddressInfo).port}/`, ended };
}

async function listen(server: Server, port: number): Promise<void> {
  try {
    server.listen(port, ADDRESS);
    await once(server, 'listening');
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    const why = code === 'EACCES' ? 'is not for everyone to take' : 'is used by another program';
    const remedy = 'Choose another with --port, or leave it out for a free one.';
    throw new UserError('usage', `port ${port} ${why}`, remedy, { cause: error });
  }
}

/** Answers requests, and sends what has changed to those who watch. */
class LivePage {
  private readonly watcher: RunWatcher;
  private readonly maker = new CardMaker();
  /** What was last sent to each of them, by part. */
  private readonly watching = new Map<ServerResponse, Map<string, string>>();
  private timer: NodeJS.Timeout | undefined;
  private told: string | undefined;
  private readonly interval: number;

  constructor(private readonly options: WatchServerOptions) {
    this.watcher = new RunWatcher(options);
    this.interval = options.interval ?? INTERVAL;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
    response.setHeader('Referrer-Policy', 'no-referrer');
    response.setHeader('Cache-Control', 'no-store');
    if (!isForUs(request.headers.host)) refuse(response, 403, 'This address is for this machine alone.');
    else if (request.method !== 'GET' && request.method !== 'HEAD')
      refuse(response, 405, 'Only GET is answered.');
    else if (request.url === '/') await this.sendPage(response);
    else if (request.url === '/events') await this.follow(response);
    else refuse(response, 404, 'There is one page here: /');
  }

  end(): void {
    clearTimeout(this.timer);
    for (const response of this.watching.keys()) response.end();
    this.watching.clear();
  }

  private async sendPage(response: ServerResponse): Promise<void> {
    const page = watchPage(this.options.title, await this.look());
    response.writeHead(200, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': POLICY,
    });
    response.end(page);
  }

  private async follow(response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write(`retry: ${RETRY}\n\n`);
    this.watching.set(response, new Map());
    response.on('close', () => this.watching.delete(response));
    send(response, await this.look(), this.watching.get(response) ?? new Map());
    this.timer ??= setTimeout(() => void this.tick(), this.interval);
  }

  private async tick(): Promise<void> {
    const started = performance.now();
    const cards = await this.look();
    for (const [response, sent] of this.watching) send(response, cards, sent);
    const pause = Math.max(this.interval, SPARING * (performance.now() - started));
    this.timer = this.watching.size > 0 ? setTimeout(() => void this.tick(), pause) : undefined;
  }

  /** What is to be seen now. Nothing that lies in a folder of runs ends the server. */
  private async look(): Promise<Card[]> {
    try {
      return this.maker.cards(await this.watcher.look());
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== this.told) this.options.onProblem(message);
      this.told = message;
      return this.maker.cards({ runs: [], more: 0, table: undefined, problem: message });
    }
  }
}

/** The cards in their order, with the parts that are not as they were sent last. */
function send(response: ServerResponse, cards: readonly Card[], sent: Map<string, string>): void {
  let news = false;
  const order = cards.map(({ key }) => key).join('\n');
  const message = cards.map(({ key, parts }) => ({
    key,
    parts: parts.map((part) => {
      const place = `${key}\n${part.key}`;
      if (sent.get(place) === part.html) return { key: part.key };
      sent.set(place, part.html);
      news = true;
      return part;
    }),
  }));
  if (!news && sent.get('') === order) return;
  sent.set('', order);
  response.write(`data: ${JSON.stringify(message)}\n\n`);
}

function isForUs(host: string | undefined): boolean {
  return host !== undefined && NAMES.includes(host.replace(/:\d+$/, ''));
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}
