/**
 * Messages between the program and its TensorFlow process: a JSON head and raw arrays after it, so that
 * a batch of images crosses without being encoded.
 *
 *     uint32 length of head | head (JSON, UTF-8) | arrays, one after another
 */

export type TypedArray = Float32Array | Int32Array;

/** A tensor on its way. */
export interface Feed {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: TypedArray;
  /** Where `data` lies in what was handed over, if it was: in which array, and from which value on. */
  readonly ahead?: { readonly number: number; readonly offset: number } | undefined;
}

/** The smallest and the largest array that is handed over ahead, in bytes: small ones go as fast with their request. */
export const LEAST_AHEAD = 2 ** 16;
export const MOST_AHEAD = 2 ** 29;

/** Values of an array that was handed over. */
export type AheadHead = ArrayHead & NonNullable<Feed['ahead']>;

/** How a tensor is called that is fed. What was handed over does not travel with the request. */
export interface FeedHead {
  readonly name: string;
  readonly ahead?: AheadHead;
}

export interface Fetched {
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

export type Request =
  /** Loads the one graph of a SavedModel folder; answers with its `session`. */
  | { readonly method: 'load'; readonly folder: string; readonly tag: string }
  | { readonly method: 'unload'; readonly session: number }
  /** Runs the graph once; answers with the fetched tensors. */
  | {
      readonly method: 'run';
      readonly session: number;
      readonly feeds: readonly FeedHead[];
      readonly fetches: readonly string[];
    }
  | { readonly method: 'status' };

export interface Status {
  readonly version: string;
  readonly gpu: boolean;
  /** Tensors that TensorFlow holds for us between calls. */
  readonly liveTensors: number;
  /** Largest resident memory of the TensorFlow process so far, in bytes. */
  readonly peakMemory: number;
}

export type Answer =
  | { readonly ok: true; readonly session?: number; readonly status?: Status }
  | { readonly ok: false; readonly error: string };

export interface ArrayHead {
  readonly type: 'float32' | 'int32';
  readonly shape: readonly number[];
}

export function headOf({ shape, data }: Fetched): ArrayHead {
  return { type: data instanceof Float32Array ? 'float32' : 'int32', shape };
}

/** The values that a head speaks of, from a byte of a buffer on. */
export function arrayAt({ type, shape }: ArrayHead, buffer: ArrayBufferLike, byteOffset: number): TypedArray {
  const length = valueCount(shape);
  return type === 'float32'
    ? new Float32Array(buffer, byteOffset, length)
    : new Int32Array(buffer, byteOffset, length);
}

function valueCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** A head as it travels: with the shapes of the arrays after it. */
type Head<T> = T & { readonly arrays: readonly ArrayHead[] };

const LENGTH_BYTES = 4;

/** The bytes of a message, as chunks to be written one after another. Arrays are not copied. */
export function encode<T extends object>(body: T, arrays: readonly Fetched[]): Uint8Array[] {
  const head = Buffer.from(JSON.stringify({ ...body, arrays: arrays.map(headOf) }));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(head.length);
  return [length, head, ...arrays.map(({ data }) => bytesOf(data))];
}

export function bytesOf({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * Reads one message, asking for its bytes piece by piece: yields how many it needs next and is given them.
 * So the same code serves a blocking reader and one that waits for events.
 */
export function* decode<T>(): Generator<number, { body: T; arrays: Fetched[] }, Uint8Array> {
  const length = Buffer.from(yield LENGTH_BYTES).readUInt32LE();
  const body = JSON.parse(Buffer.from(yield length).toString()) as Head<T>;
  const arrays: Fetched[] = [];
  for (const head of body.arrays) {
    const { buffer, byteOffset } = yield 4 * valueCount(head.shape);
    arrays.push({ shape: head.shape, data: arrayAt(head, buffer, byteOffset) });
  }
  return { body, arrays };
}
