import { readFileSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { EXIT, UserError } from '../util/errors.js';
import { formatDuration } from '../util/format.js';
import { isDead, ownerName, shownOwner } from '../util/owner.js';
import type { Reporter } from '../util/reporter.js';
import type { MpiBinding } from './binding.js';
import { errorOf, type Failure, failureOf } from './failure.js';
import type { Group } from './group.js';
import type { Place } from './place.js';

/** What a process says of itself when it joins. */
interface Introduction {
  readonly host: string;
  /** As in locks. */
  readonly owner: string;
  /** The cores that it may use. */
  readonly cores: string;
}

/** What a process has to tell the others, beside numbers. */
interface Message {
  readonly warnings?: readonly string[];
  readonly failure?: Failure;
}

/** Milliseconds between looks at whether the other processes of this host live. */
const WATCH = 1000;

/**
 * Milliseconds to wait for the other processes in the beginning: each may have to build the MPI part. Not every
 * launcher ends them where one has failed before.
 */
const PATIENCE = 5 * 60_000;

/** Values of each process in a call of `agree`: bytes of its message, exit code if asked to stop, value. */
const HEAD = 3;

/** Several processes, over MPI. */
export class Processes implements Group {
  readonly localRank: number;
  readonly cores: number;
  readonly hosts: readonly string[];
  readonly #binding: MpiBinding;
  readonly #all: readonly Introduction[];
  readonly #controller = new AbortController();
  #asked: AbortSignal | undefined;
  readonly #reporter: Reporter;
  readonly #warned = new Set<string>();
  readonly #watch: NodeJS.Timeout;
  #warnings: string[] = [];
  /** A call that all were at failed in this process: whatever it asks of them now, they do not hear. */
  #unheard = false;

  private constructor(
    binding: MpiBinding,
    readonly rank: number,
    readonly size: number,
    all: readonly Introduction[],
    { reporter, onLost }: ProcessesOptions,
  ) {
    this.#binding = binding;
    this.#all = all;
    this.#reporter = reporter;
    const own = all[rank]!;
    const onHost = (rank: number) => all[rank]!.host === own.host;
    this.hosts = all.map(({ host }) => host);
    this.localRank = all.filter((_, other) => other < rank && onHost(other)).length;
    const sharing = all.filter(({ host, cores }) => host === own.host && cores === own.cores).length;
    this.cores = Math.max(1, Math.floor(availableParallelism() / sharing));
    this.#watch = setInterval(() => {
      const lost = this.lost();
      if (lost) onLost(lost);
    }, WATCH);
    this.#watch.unref();
  }

  /**
   * Joins the others; `onLost` hears of it if they do not come. Throws a UserError (engine) if MPI does not see the
   * processes that the launcher started.
   */
  static async join(
    binding: MpiBinding,
    { size, localRank = 0 }: Place,
    options: ProcessesOptions,
  ): Promise<Processes> {
    const { onLost, patience = PATIENCE } = options;
    const error = new UserError(
      'engine',
      `${size} processes were started, and some have not come within ${formatDuration(patience / 1000)}`,
      'See what the others print. With --kill-on-bad-exit, srun ends all when one fails.',
    );
    const loss = { error, speaks: localRank === 0, end: binding.end };
    const timer = setTimeout(() => onLost(loss), patience);
    const joined = await binding.join().finally(() => clearTimeout(timer));
    if (joined.size !== size) {
      await binding.leave();
      throw new UserError(
        'engine',
        `${size} processes were started, but MPI (${joined.library}) sees ${joined.size}`,
        "Start them with the mpirun of the same MPI, or with Slurm's srun --mpi=pmix.",
      );
    }
    const own: Introduction = { host: hostname(), owner: ownerName(process.pid), cores: coreList() };
    const all = await gatherJson<Introduction>(binding, size, own);
    return new Processes(binding, joined.rank, size, all, options);
  }

  together(asked: AbortSignal): AbortSignal {
    this.#asked = asked;
    return this.#controller.signal;
  }

  /** Keeps a warning until the next call of `agree`, when the first process prints it. */
  readonly warn = (text: string): void => {
    this.#warnings.push(text);
  };

  async agree(value = 0): Promise<number[]> {
    return this.#agree(value, undefined);
  }

  async #agree(value: number, failure: Failure | undefined): Promise<number[]> {
    const warnings = this.#warnings.splice(0);
    const message: Message = { warnings, failure };
    const text = failure || warnings.length > 0 ? Buffer.from(JSON.stringify(message)) : Buffer.alloc(0);
    // A signal has said which code; a limit has not.
    const stop = this.#asked?.aborted ? Number(process.exitCode ?? EXIT.unfinished) : 0;
    const lengths = new Array<number>(this.size).fill(HEAD);
    const heads = await this.gather(Float64Array.of(text.length, stop, value), lengths);
    const column = (index: number) =>
      Array.from({ length: this.size }, (_, rank) => heads[rank * HEAD + index]!);
    const bytes = column(0);
    if (bytes.some(Boolean)) this.#hear(await gatherTexts(this.#binding, text, bytes));
    const code = Math.max(...column(1));
    if (code > 0 && !this.#controller.signal.aborted) {
      process.exitCode ??= code;
      this.#controller.abort();
    }
    return column(2);
  }

  /** Prints warnings, and throws what was thrown elsewhere. */
  #hear(texts: readonly string[]): void {
    const messages = texts.map((text): Message => (text === '' ? {} : JSON.parse(text)));
    for (const text of messages.flatMap(({ warnings }) => warnings ?? [])) {
      // What is wrong with an image may be worded in several ways, behind the colon.
      const subject = text.split(': ', 1)[0]!;
      if (this.rank === 0 && !this.#warned.has(subject)) this.#reporter.warn(text);
      this.#warned.add(subject);
    }
    const rank = messages.findIndex(({ failure }) => failure !== undefined);
    if (rank < 0) return;
    clearInterval(this.#watch);
    const from = rank === 0 ? '' : `process ${rank + 1} of ${this.size} on ${this.hosts[rank]}: `;
    throw new AgreedFailure(errorOf(messages[rank]!.failure!, from));
  }

  async gather(values: Float64Array, lengths: readonly number[]): Promise<Float64Array> {
    const all = new Float64Array(lengths.reduce((sum, length) => sum + length, 0));
    const sizes = lengths.map((length) => length * Float64Array.BYTES_PER_ELEMENT);
    await this.#exchanged(this.#binding.gather(bytesOf(values), Int32Array.from(sizes), bytesOf(all)));
    return all;
  }

  async sum(send: Float32Array, parts: readonly number[], receive: Float32Array): Promise<void> {
    await this.#exchanged(this.#binding.sum(send, Int32Array.from(parts), receive));
  }

  async #exchanged(call: Promise<void>): Promise<void> {
    try {
      await call;
    } catch (error) {
      this.#unheard = true;
      throw error;
    }
  }

  async gatherJson<T>(value: T): Promise<T[]> {
    const text = Buffer.from(JSON.stringify(value));
    const texts = await gatherTexts(this.#binding, text, await this.agree(text.length));
    return texts.map((one) => JSON.parse(one));
  }

  async share<T>(value: T | undefined): Promise<T> {
    const text = Buffer.from(this.rank === 0 ? JSON.stringify(value) : '');
    const [length] = await this.agree(text.length);
    const bytes = this.rank === 0 ? text : Buffer.alloc(length!);
    await this.#exchanged(this.#binding.broadcast(bytes));
    return JSON.parse(bytes.toString()) as T;
  }

  async shareFloats(values: Float32Array): Promise<void> {
    await this.agree();
    await this.#exchanged(this.#binding.broadcast(bytesOf(values)));
  }

  async firstOnHost<T extends { dispose(): Promise<void> }>(make: () => Promise<T>): Promise<T> {
    const made = this.localRank === 0 ? await make() : undefined;
    try {
      await this.agree();
    } catch (error) {
      await made?.dispose();
      throw error;
    }
    return made ?? make();
  }

  /** Tells the others why this process cannot go on; returns what all throw, or undefined if they cannot be told. */
  async fail(error: unknown): Promise<AgreedFailure | undefined> {
    if (this.#unheard) return undefined;
    try {
      await this.#agree(0, failureOf(error));
    } catch (failure) {
      if (failure instanceof AgreedFailure) return failure;
    }
    return undefined;
  }

  /** Waits for all, and leaves. */
  async leave(): Promise<void> {
    clearInterval(this.#watch);
    await this.#binding.leave();
  }

  /** That another process of this host has ended. */
  readonly lost = (): Loss | undefined => {
    const { host } = this.#all[this.rank]!;
    const here = this.#all.map((one, rank) => ({ ...one, rank })).filter((one) => one.host === host);
    const dead = here.find(({ owner }) => isDead(owner));
    if (!dead) return undefined;
    const error = new UserError(
      'engine',
      `process ${dead.rank + 1} of ${this.size} has ended: ${shownOwner(dead.owner)}`,
      'The run is kept as of its last checkpoint: resume it with --resume, on any number of processes that divides training.accumulate.',
    );
    const speaks = here.find(({ owner }) => !isDead(owner))?.rank === this.rank;
    return { error, speaks, end: this.#binding.end };
  };
}

/** What is to be said of a process that is not there, and whether this one is to say it: one of each host does. */
export interface Loss {
  readonly error: UserError;
  readonly speaks: boolean;
  /** Ends this process now, whatever its threads wait for. */
  end(code: number): never;
}

export interface ProcessesOptions {
  /** Of the first process. */
  readonly reporter: Reporter;
  /** Called when another process of this host has ended, or some do not come. */
  onLost(loss: Loss): void;
  /** Milliseconds to wait for them. */
  readonly patience?: number;
}

/** A failure that all processes know of. */
export class AgreedFailure extends Error {
  constructor(readonly error: Error) {
    super(error.message, { cause: error });
  }
}

/** Which cores this process may use, as Linux lists them; the same elsewhere, where launchers bind nothing. */
function coreList(): string {
  try {
    return /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}

async function gatherJson<T>(binding: MpiBinding, size: number, own: T): Promise<T[]> {
  const text = Buffer.from(JSON.stringify(own));
  const lengths = new Float64Array(size);
  const bytes = new Int32Array(size).fill(Float64Array.BYTES_PER_ELEMENT);
  await binding.gather(bytesOf(Float64Array.of(text.length)), bytes, bytesOf(lengths));
  return (await gatherTexts(binding, text, [...lengths])).map((one) => JSON.parse(one));
}

async function gatherTexts(
  binding: MpiBinding,
  own: Uint8Array,
  bytes: readonly number[],
): Promise<string[]> {
  const all = Buffer.alloc(bytes.reduce((sum, length) => sum + length, 0));
  await binding.gather(own, Int32Array.from(bytes), all);
  let end = 0;
  return bytes.map((length) => {
    end += length;
    return all.toString('utf8', end - length, end);
  });
}

function bytesOf(values: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
