import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../../util/errors.js';
import { NODE_ARGUMENTS } from '../../../util/node.js';
import {
  type Answer,
  bytesOf,
  decode,
  encode,
  type Feed,
  type FeedHead,
  type Fetched,
  headOf,
  LEAST_AHEAD,
  MOST_AHEAD,
  type Request,
  type Status,
} from './messages.js';

/** Characters of the process's own error output that are kept for the message when it dies. */
const KEPT_OUTPUT = 2000;

/** The number of what was not handed over. */
const NOT_HANDED_OVER = -1;

/** The compiled server beside this file; from source (in tests), the one that `npm run build` has made. */
const SERVER = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../../../dist/engines/tensorflow/process/server.js' : './server.js',
    import.meta.url,
  ),
);

interface Pending {
  resolve(result: { body: Answer; arrays: Fetched[] }): void;
  reject(error: Error): void;
}

/**
 * TensorFlow in a process of its own. It does not block the program while it computes, gets its own environment (which
 * TensorFlow reads once per process), gives its memory back when it ends, and takes nothing down when it dies.
 */
export class TensorFlowProcess {
  readonly #child: ChildProcess;
  readonly #channel: Socket;
  /** For what is handed over while the process computes. */
  readonly #ahead: Socket;
  /** How many arrays were handed over, and the number of the last that was fed. */
  #handedOver = 0;
  #lastFed = 0;
  readonly #pending: Pending[] = [];
  #message = decode<Answer>();
  #wanted: number;
  #chunks: Buffer[] = [];
  #received = 0;
  #output = '';
  #end: Error | undefined;

  /**
   * Starts the process with the compiled binding and variables on top of the present environment; undefined ones go.
   */
  constructor(binding: string, environment: Readonly<Record<string, string | undefined>>) {
    this.#wanted = this.#message.next().value as number;
    this.#child = spawn(process.execPath, [...NODE_ARGUMENTS, SERVER, binding], {
      // A process group of its own: Ctrl-C is for the program, which then ends this one in order.
      detached: true,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.#channel = this.#child.stdio[3] as Socket;
    this.#ahead = this.#child.stdio[4] as Socket;
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
    });
    this.#channel.on('data', (chunk: Buffer) => this.#accept(chunk));
    for (const channel of [this.#channel, this.#ahead]) {
      channel.on('error', () => {
        // The exit that follows says more.
      });
    }
    this.#child.on('error', (error) => this.#finish(error));
    this.#child.on('close', (code, signal) => this.#finish(this.#death(code, signal)));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  async load(folder: string, tag: string): Promise<number> {
    const { body } = await this.#request({ method: 'load', folder, tag }, []);
    return (body as { session: number }).session;
  }

  async unload(session: number): Promise<void> {
    await this.#request({ method: 'unload', session }, []);
  }

  /** Runs the session's graph once and returns the fetched tensors in order. */
  async run(session: number, feeds: readonly Feed[], fetches: readonly string[]): Promise<Fetched[]> {
    const heads = feeds.map((feed) => this.#feedHead(feed));
    const sent = feeds.filter((_, index) => !heads[index]!.ahead);
    return (await this.#request({ method: 'run', session, feeds: heads, fetches }, sent)).arrays;
  }

  /**
   * Sends values that will be fed, while the process still computes. They must not change until then.
   * @returns the number by which a feed refers to them. Where they are too small or too large, or later ones were fed
   * meanwhile, they are sent with the feed.
   */
  handOver(values: Float32Array): number {
    const { byteLength } = values;
    if (this.#end || byteLength < LEAST_AHEAD || byteLength > MOST_AHEAD) return NOT_HANDED_OVER;
    const length = Buffer.alloc(Uint32Array.BYTES_PER_ELEMENT);
    length.writeUInt32LE(byteLength);
    this.#ahead.write(length);
    this.#ahead.write(bytesOf(values));
    return this.#handedOver++;
  }

  #feedHead(feed: Feed): FeedHead {
    const { name, ahead } = feed;
    if (!ahead || ahead.number < this.#lastFed) return { name };
    this.#lastFed = ahead.number;
    return { name, ahead: { ...headOf(feed), ...ahead } };
  }

  async status(): Promise<Status> {
    const { body } = await this.#request({ method: 'status' }, []);
    return (body as { status: Status }).status;
  }

  /** What TensorFlow has printed, the last of it. */
  get output(): string {
    return this.#output;
  }

  /** Ends the process once the requests before this one are answered. */
  async close(): Promise<void> {
    if (this.#end) return;
    const ended = new Promise<void>((resolve) => this.#child.once('close', () => resolve()));
    this.#channel.end();
    this.#ahead.end();
    await ended;
  }

  #request(request: Request, feeds: readonly Feed[]): Promise<{ body: Answer; arrays: Fetched[] }> {
    if (this.#end) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject });
      for (const chunk of encode(request, feeds)) this.#channel.write(chunk);
    });
  }

  #accept(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#received += chunk.length;
    while (this.#received >= this.#wanted) {
      const all = Buffer.concat(this.#chunks);
      // A copy of its own, for the alignment of typed arrays.
      const bytes = new Uint8Array(all.subarray(0, this.#wanted));
      this.#chunks = [all.subarray(this.#wanted)];
      this.#received -= this.#wanted;
      const state = this.#message.next(bytes);
      if (state.done) {
        this.#message = decode<Answer>();
        this.#wanted = this.#message.next().value as number;
        this.#settle(state.value);
      } else {
        this.#wanted = state.value;
      }
    }
  }

  #settle(result: { body: Answer; arrays: Fetched[] }): void {
    const pending = this.#pending.shift();
    if (result.body.ok) pending?.resolve(result);
    else pending?.reject(new Error(`TensorFlow: ${result.body.error}`));
  }

  #death(code: number | null, signal: NodeJS.Signals | null): Error {
    const how = signal ? `was killed by ${signal}` : `ended with code ${code}`;
    const remedy =
      signal === 'SIGKILL'
        ? 'The system may be out of memory: use a smaller batch, or memoryEfficient. Then resume the run.'
        : 'Resume the run from its last checkpoint; if it happens again, run: densenet doctor';
    const said = lastWords(this.#output);
    return new UserError('engine', `the TensorFlow process ${how}${said ? `: ${said}` : ''}`, remedy);
  }

  #finish(end: Error): void {
    this.#end ??= end;
    for (const { reject } of this.#pending.splice(0)) reject(this.#end);
  }
}

/**
 * What a process that died said of it: the last line of its output with the word error, or the last at all.
 * TensorFlow's notices, which begin with I and of which one speaks of rounding errors, do not count.
 */
export function lastWords(output: string): string | undefined {
  const lines = output.split('\n').filter((line) => line.trim() !== '' && !/^I\d{4} /.test(line));
  return lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1);
}
