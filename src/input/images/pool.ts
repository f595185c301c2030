import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Piscina } from 'piscina';
import { packageRoot } from '../../util/package.js';
import type { Look, Seen, Task } from './worker.js';

/** Threads that decode images. Close it when nothing is under way. */
export class DecodingPool {
  readonly workers: number;
  private readonly threads: Piscina;

  constructor(workers = availableParallelism()) {
    this.workers = workers;
    this.threads = new Piscina({
      filename: join(packageRoot, 'dist', 'input', 'images', 'worker.js'),
      minThreads: workers,
      maxThreads: workers,
      // While libvips works on one image, the worker's own thread has another's colours to do.
      concurrentTasksPerWorker: 2,
    });
  }

  /** Makes one image; returns what is wrong with it, if anything is. Tasks begin in the order of the calls. */
  run(task: Task): Promise<string | undefined> {
    return this.threads.run(task);
  }

  /** Reads one image, makes it small, and says what it is. */
  look(task: Look): Promise<Seen> {
    return this.threads.run(task, { name: 'look' });
  }

  async close(): Promise<void> {
    await this.threads.destroy();
  }
}
