/** The processes that train one run together; often one. They go through the same calls, in the same order. */
export interface Group {
  readonly rank: number;
  readonly size: number;
  /** Number of this process among those of its host. */
  readonly localRank: number;
  /** Cores of this host for each of its processes; undefined for all. */
  readonly cores: number | undefined;
  /** For people, one for each process. */
  readonly hosts: readonly string[];
  /**
   * A signal that is aborted in all processes by the same call of `agree`, where the given one is aborted in any. To be
   * called once.
   */
  together(asked: AbortSignal): AbortSignal;
  /**
   * Waits for all, and returns what each says. Throws in all if one has failed, and stops all if one is asked to stop.
   */
  agree(value?: number): Promise<number[]>;
  /** What all send, in the order of ranks, of these lengths. */
  gather(values: Float64Array, lengths: readonly number[]): Promise<Float64Array>;
  /**
   * Fills `receive` with the sum of arrays of its size, of which process r sends parts[r]: each is added to the sum of
   * those before it.
   */
  sum(send: Float32Array, parts: readonly number[], receive: Float32Array): Promise<void>;
  /** What each says; it must be JSON. */
  gatherJson<T>(value: T): Promise<T[]>;
  /** The first process's value. It must be JSON. */
  share<T>(value: T | undefined): Promise<T>;
  /** Fills `values` with those of the first process. */
  shareFloats(values: Float32Array): Promise<void>;
  /**
   * Lets one process of each host make something before the others, which then find on the disk what it needs. Where
   * another process has failed meanwhile, it is disposed of.
   */
  firstOnHost<T extends { dispose(): Promise<void> }>(make: () => Promise<T>): Promise<T>;
}

/** One process. */
export const ALONE: Group = {
  rank: 0,
  size: 1,
  localRank: 0,
  cores: undefined,
  hosts: [],
  together: (asked) => asked,
  agree: async (value = 0) => [value],
  gather: async (values) => values,
  sum: async (send, _, receive) => receive.set(send),
  gatherJson: async (value) => [value],
  share: async (value) => value!,
  shareFloats: async () => undefined,
  firstOnHost: (make) => make(),
};
