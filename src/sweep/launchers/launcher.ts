import type { Reporter } from '../../util/reporter.js';
import type { SweepRun } from '../expand.js';
import type { SweepOutcome } from '../outcome.js';

/** What a launcher is to start, and how. */
export interface Order {
  /** For people: `table2`. */
  readonly name: string;
  readonly runs: readonly SweepRun[];
  readonly resultsFolder: string;
  /** Options of `densenet train` for all runs: engine, device, threads, folders. */
  readonly trainOptions: readonly string[];
}

/** What queues are told of a job. */
export interface QueueOptions {
  readonly partition?: string | undefined;
  /** Time limit of a task, as the queue writes it. */
  readonly time?: string | undefined;
  /** Tasks at a time, at most. */
  readonly maxJobs?: number | undefined;
  /** More of the queue's own options, as its users write them. */
  readonly more: readonly string[];
}

export interface LaunchOptions extends QueueOptions {
  /** Runs at a time, where they run here. */
  readonly jobs: number;
  readonly reporter: Reporter;
  /** Aborted by the first Ctrl-C: nothing more starts, the running ones save and stop. */
  readonly stop: AbortSignal;
  /** Aborted by the second: the running ones end at once. */
  readonly force: AbortSignal;
}

/** A run in a queue. */
export interface QueueEntry {
  /** What the queue calls it. */
  readonly id: string;
  /** Undefined once it has left the queue. */
  readonly state: 'waiting' | 'running' | undefined;
  /** Why it waits, as the queue says it. */
  readonly reason?: string | undefined;
  /** The file with what it printed. */
  readonly log?: string | undefined;
}

/**
 * A way to start the runs of a sweep. Every run is a `train --auto-resume`, so it may be started twice, ended and
 * started again, on any host that has the folder of results. Methods throw a UserError for what a person can correct.
 */
export interface Launcher {
  /** What it would start, as a shell script. */
  script(order: Order, options: QueueOptions): string;
  /** Starts the runs. Returns what became of them, or undefined where a queue has them now. */
  launch(order: Order, options: LaunchOptions): Promise<readonly SweepOutcome[] | undefined>;
  /** What the queue has, and had, of the runs that were launched from this folder of results, by `wantedKey`. */
  queue(resultsFolder: string): Promise<ReadonlyMap<string, QueueEntry>>;
  /** Ends what waits or runs. A running one saves first. */
  cancel(entries: readonly QueueEntry[]): Promise<void>;
}
