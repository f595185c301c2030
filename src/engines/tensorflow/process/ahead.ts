import { Worker } from 'node:worker_threads';
import { type AheadHead, arrayAt, MOST_AHEAD, type TypedArray } from './messages.js';

/** What the two threads of the TensorFlow process share. */
export interface Shared {
  /** Array n lies in memory n % 2. They grow to what they hold and start on a page, so TensorFlow need not copy. */
  readonly memories: readonly [SharedArrayBuffer, SharedArrayBuffer];
  readonly state: Int32Array<SharedArrayBuffer>;
}

/** Places in the state: the number of the array in use, and how many arrays are there. */
export const IN_USE = 0;
export const THERE = 1;
/** Instead of how many are there: no more will come. */
export const CLOSED = -1;

/** What is handed over while the main thread computes: another thread reads it. */
export class Ahead {
  readonly #shared: Shared = {
    memories: [memory(), memory()],
    state: new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)),
  };

  constructor() {
    new Worker(new URL('./ahead-thread.js', import.meta.url), { workerData: this.#shared });
  }

  /**
   * Values of the array with this number, for which it waits; undefined if it will not come. Those before it are given
   * up. The values last until a later one is asked for.
   */
  array(head: AheadHead): TypedArray | undefined {
    const { memories, state } = this.#shared;
    Atomics.store(state, IN_USE, head.number);
    Atomics.notify(state, IN_USE);
    for (;;) {
      const there = Atomics.load(state, THERE);
      if (there === CLOSED) return undefined;
      if (there > head.number) {
        return arrayAt(head, memories[head.number % 2]!, head.offset * Float32Array.BYTES_PER_ELEMENT);
      }
      Atomics.wait(state, THERE, there);
    }
  }
}

function memory(): SharedArrayBuffer {
  return new SharedArrayBuffer(0, { maxByteLength: MOST_AHEAD });
}
