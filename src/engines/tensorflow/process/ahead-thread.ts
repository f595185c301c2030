import { writeSync } from 'node:fs';
import { type OnReadOpts, Socket } from 'node:net';
import { workerData } from 'node:worker_threads';
import { CLOSED, IN_USE, type Shared, THERE } from './ahead.js';

/**
 * The thread of the TensorFlow process that reads file descriptor 4: arrays, each after its length in bytes (uint32).
 * It fills one memory while the main thread uses the other.
 */
const CHANNEL = 4;

const { memories, state } = workerData as Shared;
const length = new Uint8Array(Uint32Array.BYTES_PER_ELEMENT);
let target: Uint8Array = length;
let filled = 0;
let number = 0;

/** Where the next array goes, once the main thread is done with what lies there. */
function place(bytes: number): Uint8Array {
  for (;;) {
    const inUse = Atomics.load(state, IN_USE);
    if (inUse >= number - 1) break;
    Atomics.wait(state, IN_USE, inUse);
  }
  const memory = memories[number % 2]!;
  if (memory.byteLength < bytes) memory.grow(bytes);
  return new Uint8Array(memory, 0, bytes);
}

function say(there: number): void {
  Atomics.store(state, THERE, there);
  Atomics.notify(state, THERE);
}

function accept(count: number): true {
  filled += count;
  if (filled < target.length) return true;
  filled = 0;
  if (target === length) {
    target = place(Buffer.from(length).readUInt32LE());
  } else {
    target = length;
    say(++number);
  }
  return true;
}

process.on('uncaughtException', (error) => {
  // The main thread may be waiting, and hears no events.
  writeSync(2, `${error}\n`);
  say(CLOSED);
});
const onread: OnReadOpts = { buffer: () => target.subarray(filled), callback: accept };
const options = { fd: CHANNEL, writable: false, onread };
new Socket(options).on('close', () => say(CLOSED));
