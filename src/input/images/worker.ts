import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { FileRange } from '../../datasets/dataset.js';
import { checkIsFile, READ_AT_ONCE } from '../../util/read-files.js';
import { type Preparation, type Purpose, prepare } from './prepare.js';

/** One image to be made, and where its values go: `offset` values into the shared memory of its batch. */
export interface Task {
  readonly file: FileRange;
  readonly index: number;
  readonly purpose: Purpose;
  readonly preparation: Preparation;
  readonly memory: SharedArrayBuffer;
  readonly offset: number;
  readonly values: number;
}

/** Says why an image could not be made; undefined if it was. Runs on a thread of the pool. */
export default async function run(task: Task): Promise<string | undefined> {
  const { file, index, purpose, preparation, memory, offset, values } = task;
  const target = new Float32Array(memory, offset * Float32Array.BYTES_PER_ELEMENT, values);
  try {
    await prepare(readRange(file), index, purpose, preparation, target);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

let open: { readonly path: string; readonly descriptor: number } | undefined;

/** Reads a part of a file. The last file stays open: with archives it is the next one, too. */
export function readRange({ path, start, bytes }: FileRange): Buffer {
  if (open?.path !== path) {
    const previous = open;
    open = undefined;
    if (previous) closeSync(previous.descriptor);
    checkIsFile(statSync(path), path);
    open = { path, descriptor: openSync(path, READ_AT_ONCE) };
  }
  const content = Buffer.allocUnsafeSlow(bytes);
  for (let done = 0; done < bytes; ) {
    const read = readSync(open.descriptor, content, done, bytes - done, start + done);
    if (read === 0) throw new Error(`it ends after ${done} of ${bytes} bytes`);
    done += read;
  }
  return content;
}
