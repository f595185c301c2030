import { readSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import { END_SIGNALS } from '../../../util/signals.js';
import { Ahead } from './ahead.js';
import {
  type AheadHead,
  type Answer,
  decode,
  encode,
  type Fetched,
  type Request,
  type TypedArray,
} from './messages.js';

/**
 * The TensorFlow process: loads the binding named on its command line, then answers one request after
 * another on file descriptor 3 until that is closed. It does nothing between requests, so it may block. What is
 * handed over meanwhile, on file descriptor 4, another thread reads.
 */
const CHANNEL = 3;

/** A scheduler sends its signals to every process of a job. The program ends this one in order, by the channel. */
for (const signal of END_SIGNALS) process.on(signal, () => {});

const binding: TFJSBinding = createRequire(import.meta.url)(process.argv[2]!);
const ahead = new Ahead();

/** Reads exactly `size` bytes, or ends the process where the other side has closed the channel. */
function receive(size: number): Uint8Array {
  // Not from Node's pool: arrays need the alignment of a buffer of their own.
  const bytes = new Uint8Array(size);
  for (let done = 0; done < size; ) {
    const count = readSync(CHANNEL, bytes, done, size - done, null);
    if (count === 0) process.exit();
    done += count;
  }
  return bytes;
}

function send(answer: Answer, arrays: readonly Fetched[]): void {
  for (const chunk of encode(answer, arrays)) {
    for (let done = 0; done < chunk.length; ) done += writeSync(CHANNEL, chunk, done);
  }
}

function next(): { body: Request; arrays: Fetched[] } {
  const message = decode<Request>();
  let state = message.next();
  while (!state.done) state = message.next(receive(state.value));
  return state.value;
}

function answer(request: Request, arrays: readonly Fetched[]): { body: Answer; arrays: Fetched[] } {
  switch (request.method) {
    case 'load':
      return { body: { ok: true, session: binding.loadSavedModel(request.folder, request.tag) }, arrays: [] };
    case 'unload':
      binding.deleteSavedModel(request.session);
      return { body: { ok: true }, arrays: [] };
    case 'run':
      return { body: { ok: true }, arrays: run(request, arrays) };
    case 'status': {
      const status = {
        version: binding.TF_Version,
        gpu: binding.isUsingGpuDevice(),
        liveTensors: binding.getNumOfTensors(),
        peakMemory: process.resourceUsage().maxRSS * 1024,
      };
      return { body: { ok: true, status }, arrays: [] };
    }
  }
}

function run(request: Request & { method: 'run' }, arrays: readonly Fetched[]): Fetched[] {
  const ids: number[] = [];
  const sent = arrays.values();
  try {
    for (const feed of request.feeds) {
      const { shape, data } = feed.ahead ? takeAhead(feed.ahead) : sent.next().value!;
      const type = data instanceof Float32Array ? binding.TF_FLOAT : binding.TF_INT32;
      ids.push(binding.createTensor([...shape], type, data));
    }
    const made = binding.runSavedModel(
      request.session,
      ids,
      request.feeds.map(({ name }) => name).join(','),
      request.fetches.join(','),
    );
    ids.push(...made.map(({ id }) => id));
    return made.map(({ id, shape }) => ({ shape, data: binding.tensorDataSync(id) as TypedArray }));
  } finally {
    for (const id of ids) binding.deleteTensor(id);
  }
}

/** What was handed over. Ends the process where it does not come any more: the other side has closed the channel. */
function takeAhead(head: AheadHead): Fetched {
  const data = ahead.array(head);
  if (!data) process.exit(1);
  return { shape: head.shape, data };
}

for (;;) {
  const { body, arrays } = next();
  try {
    const result = answer(body, arrays);
    send(result.body, result.arrays);
  } catch (error) {
    send({ ok: false, error: error instanceof Error ? error.message : String(error) }, []);
  }
}
