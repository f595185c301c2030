/** A thread pool or a model on the native side. */
export interface NativeHandle {
  readonly native: unique symbol;
}

/** What native/addon.cc exports. Arrays are read in place and must not change until the promise settles. */
export interface NativeBinding {
  /** The vector instructions it was compiled for, for people. */
  readonly instructions: string;
  /** Whether they include a dot product of bfloat16 numbers. Without it bfloat16 works, but slower than float32. */
  readonly bfloat16Instructions: boolean;
  createPool(threads: number): NativeHandle;
  createModel(
    pool: NativeHandle,
    description: Float64Array,
    memoryEfficient: boolean,
    bfloat16: boolean,
  ): NativeHandle;
  /** Floats of all tensors of the model, in the order of `parameters(network)`. */
  parameterCount(model: NativeHandle): number;
  /**
   * `optimizer` is [learning rate, momentum, weight decay, nesterov]; `keys`, [n, 2], name the dropout masks of
   * each of the step's n micro-batches; `survivors`, [n, residual units], tells which branches are there, and is
   * empty for all.
   */
  train(
    model: NativeHandle,
    images: Float32Array,
    labels: Int32Array,
    optimizer: Float64Array,
    keys: Uint32Array,
    survivors: Uint8Array,
  ): Promise<{ loss: number; correct: number }>;
  /** Numbers of trainable parameters and of running statistics. */
  contributionSize(model: NativeHandle): [gradient: number, statistics: number];
  /** Forward and backward of one micro-batch; fills `gradient` and `statistics`. */
  gradient(
    model: NativeHandle,
    images: Float32Array,
    labels: Int32Array,
    stepImages: number,
    key: Uint32Array,
    survivors: Uint8Array,
    gradient: Float32Array,
    statistics: Float64Array,
  ): Promise<{ loss: number; correct: number }>;
  /** The update of a step, with the statistics of its n micro-batches, [n, …]; else as for `train`. */
  apply(
    model: NativeHandle,
    optimizer: Float64Array,
    gradient: Float32Array,
    statistics: Float64Array,
    keys: Uint32Array,
    survivors: Uint8Array,
  ): Promise<void>;
  /** Fills `logits`, [N, classes]. */
  predict(model: NativeHandle, images: Float32Array, logits: Float32Array): Promise<void>;
  readState(model: NativeHandle, values: Float32Array, momentum: Float32Array): void;
  writeState(model: NativeHandle, values: Float32Array, momentum: Float32Array): void;
  takeProfile(model: NativeHandle): [stage: string, pass: string, seconds: number, operations: number][];
  releasePool(pool: NativeHandle): void;
  releaseModel(model: NativeHandle): void;
  /** Multiply-add peak of `threads` threads, in FLOP/s. */
  measurePeak(threads: number): Promise<number>;
}
