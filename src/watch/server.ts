import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemCode, UserError } from '../util/errors.js';
import { type Card, CardMaker, POLICY, watchPage } from './page.js';
import { RunWatcher, type WatchOptions } from './state.js';

/** Milliseconds between two looks at the runs, while somebody watches. */
const INTERVAL = 1000;
/** The pause is at least this many times as long as a look takes, which is long where there are many runs. */
const PAUSE_PER_LOOK = 10;
/** Milliseconds after which a browser that has lost the connection tries again. */
const RETRY = 2000;

/** It can be reached from this machine alone. */
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
    const why = code === 'EACCES' ? 'needs privileges that you do not have' : 'is used by another program';
    const remedy = 'Choose another with --port, or leave it out for a free one.';
    throw new UserError('usage', `port ${port} ${why}`, remedy, { cause: error });
  }
}

/** Answers requests, and sends what has changed to those who watch. */
class LivePage {
  private readonly watcher: RunWatcher;
  private readonly maker = new CardMaker();
  /** What each of them shows now, by part, and the order of the cards. */
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
    else if (request.method !== 'GET') refuse(response, 405, 'Only GET is answered.');
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
    this.send(response, await this.look());
    this.timer ??= setTimeout(() => void this.tick(), this.interval);
  }

  private async tick(): Promise<void> {
    const started = performance.now();
    const cards = await this.look();
    for (const response of this.watching.keys()) this.send(response, cards);
    const pause = Math.max(this.interval, PAUSE_PER_LOOK * (performance.now() - started));
    this.timer = this.watching.size > 0 ? setTimeout(() => void this.tick(), pause) : undefined;
  }

  /**
   * Sends the cards in their order, with the parts that are not as they were sent last. A browser that does not read
   * gets nothing meanwhile, and all that has changed when it reads again.
   */
  private send(response: ServerResponse, cards: readonly Card[]): void {
    const before = this.watching.get(response);
    if (before === undefined || response.writableNeedDrain) return;
    const shown = new Map([['', cards.map(({ key }) => key).join('\n')]]);
    const message = cards.map(({ key, parts }) => ({
      key,
      parts: parts.map((part) => {
        const place = `${key}\n${part.key}`;
        shown.set(place, part.html);
        return before.get(place) === part.html ? { key: part.key } : part;
      }),
    }));
    const same =
      shown.size === before.size && [...shown].every(([place, text]) => before.get(place) === text);
    if (same) return;
    this.watching.set(response, shown);
    response.write(`data: ${JSON.stringify(message)}\n\n`);
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

function isForUs(host: string | undefined): boolean {
  return host !== undefined && NAMES.includes(host.replace(/:\d+$/, ''));
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}
