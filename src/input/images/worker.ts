import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { FileRange } from '../../datasets/dataset.js';
import type { FolderImage } from '../../datasets/folder/listing.js';
import { MOST_IMAGE_BYTES } from '../../datasets/imagenet/split-index.js';
import { checkIsFile, READ_AT_ONCE } from '../../util/read-files.js';
import { type Preparation, type Purpose, prepare } from './prepare.js';
import { jpegOrPng, smallImage } from './single-image.js';

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
    const encoded = readRange(file);
    const readable = preparation.anyFormat ? await jpegOrPng(encoded) : encoded;
    await prepare(readable, index, purpose, preparation, target);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** One image to be looked at, at the size that a network of small images takes. */
export interface Look {
  readonly image: Pick<FolderImage, 'path' | 'bytes'>;
  readonly side: number;
  /** Where its bytes go, [3, side, side]. */
  readonly target?: { readonly memory: SharedArrayBuffer; readonly offset: number };
}

export interface Seen {
  /** Of the file; empty where it cannot be read. */
  readonly sha256: string;
  /** Why the image cannot be made. */
  readonly problem?: string;
  /** Of each channel, sums of values, then of squares: [6]. */
  readonly sums: number[];
}

/** Runs on a thread of the pool. */
export async function look({ image, side, target }: Look): Promise<Seen> {
  const sums = [0, 0, 0, 0, 0, 0];
  let sha256 = '';
  try {
    if (image.bytes > MOST_IMAGE_BYTES) throw new Error(`it has ${image.bytes} bytes, too many for an image`);
    const file = readRange({ ...image, start: 0 });
    sha256 = createHash('sha256').update(file).digest('hex');
    const pixels = await smallImage(await jpegOrPng(file), 3, side);
    const plane = side ** 2;
    for (let c = 0; c < 3; c++) {
      let [sum, squares] = [0, 0];
      for (let at = c * plane; at < (c + 1) * plane; at++) {
        const value = pixels[at]!;
        sum += value;
        squares += value * value;
      }
      [sums[c], sums[3 + c]] = [sum, squares];
    }
    if (target) new Uint8Array(target.memory, target.offset, pixels.length).set(pixels);
    return { sha256, sums };
  } catch (error) {
    return { sha256, problem: (error as Error).message.trim(), sums };
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
