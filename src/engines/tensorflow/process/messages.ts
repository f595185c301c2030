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
      readonly feeds: readonly string[];
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

interface ArrayHead {
  readonly type: 'float32' | 'int32';
  readonly shape: readonly number[];
}

/** A head as it travels: with the shapes of the arrays after it. */
type Head<T> = T & { readonly arrays: readonly ArrayHead[] };

const LENGTH_BYTES = 4;

/** The bytes of a message, as chunks to be written one after another. Arrays are not copied. */
export function encode<T extends object>(body: T, arrays: readonly Fetched[]): Uint8Array[] {
  const heads = arrays.map(
    ({ shape, data }): ArrayHead => ({ type: data instanceof Float32Array ? 'float32' : 'int32', shape }),
  );
  const head = Buffer.from(JSON.stringify({ ...body, arrays: heads }));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(head.length);
  return [
    length,
    head,
    ...arrays.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ];
}

/**
 * Reads one message, asking for its bytes piece by piece: yields how many it needs next and is given them.
 * So the same code serves a blocking reader and one that waits for events.
 */
export function* decode<T>(): Generator<number, { body: T; arrays: Fetched[] }, Uint8Array> {
  const length = Buffer.from(yield LENGTH_BYTES).readUInt32LE();
  const body = JSON.parse(Buffer.from(yield length).toString()) as Head<T>;
  const arrays: Fetched[] = [];
  for (const { type, shape } of body.arrays) {
    const bytes = yield 4 * shape.reduce((product, size) => product * size, 1);
    const { buffer, byteOffset } = bytes;
    const data =
      type === 'float32'
        ? new Float32Array(buffer, byteOffset, bytes.length / 4)
        : new Int32Array(buffer, byteOffset, bytes.length / 4);
    arrays.push({ shape, data });
  }
  return { body, arrays };
}
