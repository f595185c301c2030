import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TensorFlowProcess } from '../../../src/engines/tensorflow/process/client.js';
import { bytesOf, type TypedArray } from '../../../src/engines/tensorflow/process/messages.js';
import { temporaryFolder } from '../../program.js';

/**
 * In the place of TensorFlow's binding. A run gives back what it was fed; it ends once the process has read as many
 * bytes more as it is asked for, even while it runs.
 */
const BINDING = `
const { readFileSync } = require('node:fs');
const bytesRead = () => Number(/rchar: (\\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))[1]);
const tensors = new Map();
let ids = 0;
const add = (tensor) => { tensors.set(++ids, tensor); return ids; };
module.exports = {
  TF_FLOAT: 1,
  TF_INT32: 3,
  createTensor: (shape, type, data) => add({ shape, data }),
  deleteTensor: (id) => tensors.delete(id),
  tensorDataSync: (id) => tensors.get(id).data,
  runSavedModel: (session, fed, feeds, bytes) => {
    const wanted = bytesRead() + Number(bytes);
    while (bytesRead() < wanted) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    return fed.map((id) => {
      const { shape, data } = tensors.get(id);
      return { id: add({ shape, data: data.slice() }), shape };
    });
  },
};
`;

async function start(): Promise<TensorFlowProcess> {
  const binding = join(await temporaryFolder(), 'binding.cjs');
  await writeFile(binding, BINDING);
  return new TensorFlowProcess(binding, {});
}

async function withProcess(use: (process: TensorFlowProcess) => Promise<void>): Promise<void> {
  const process = await start();
  try {
    await use(process);
  } finally {
    await process.close();
  }
}

/** `count` values that begin with `first`. */
const values = (first: number, count: number) => Float32Array.from({ length: count }, (_, i) => first + i);

function same(a: TypedArray, b: TypedArray): boolean {
  return Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
}

/** Runs with a part of an array, which may have been handed over, until so many bytes more were read. */
function feed(
  process: TensorFlowProcess,
  array: Float32Array,
  number: number,
  { offset = 0, count = array.length, bytes = 0 } = {},
) {
  const data = array.subarray(offset, offset + count);
  return process.run(
    0,
    [
      { name: 'before', shape: [], data: Int32Array.of(count) },
      { name: 'images', shape: [count], data, ahead: { number, offset } },
      { name: 'after', shape: [2], data: Float32Array.of(offset, -1) },
    ],
    [String(bytes)],
  );
}

test('what is handed over reaches the process while it runs', async () => {
  await withProcess(async (process) => {
    const first = values(0, 1000);
    const running = feed(process, first, -1, { bytes: 4e6 });
    const next = values(1, 1e6);
    const number = process.handOver(next);
    await running;
    const [, images] = await feed(process, next, number, { offset: 400_000, count: 1000 });
    expect(images).toEqual({ shape: [1000], data: next.slice(400_000, 401_000) });
  });
});

test('arrays of any size, some fed in parts and some never, arrive as they are', async () => {
  await withProcess(async (process) => {
    const sizes = [1, 30_000, 90_000, 16_384, 200_000, 199_999, 7, 100_000, 20_000, 150_000];
    const arrays = sizes.map((size, index) => values(1000 * index, size));
    const numbers = arrays.map(() => -1);
    const ends = async (index: number) => {
      const count = Math.ceil(sizes[index]! / 2);
      for (const offset of [0, sizes[index]! - count]) {
        const [before, images, after] = await feed(process, arrays[index]!, numbers[index]!, {
          offset,
          count,
        });
        expect(before!.data).toEqual(Int32Array.of(count));
        expect(same(images!.data, arrays[index]!.subarray(offset, offset + count))).toBe(true);
        expect(after!.data).toEqual(Float32Array.of(offset, -1));
      }
    };
    for (const [index, array] of arrays.entries()) {
      numbers[index] = process.handOver(array);
      // Four are not fed in their turn; of the others each is fed while the next one is on its way.
      if (![2, 3, 7, 8].includes(index - 1) && index > 0) await ends(index - 1);
    }
    await ends(arrays.length - 1);
    // Long given up, so it is sent with the request.
    await ends(2);
  });
});

test('a process that waits for what was handed over ends with the program', async () => {
  const process = await start();
  const array = values(0, 10);
  const waiting = feed(process, array, 5).catch((error) => error);
  await process.close();
  expect(await waiting).toMatchObject({
    kind: 'engine',
    message: 'the TensorFlow process ended with code 1',
  });
});
