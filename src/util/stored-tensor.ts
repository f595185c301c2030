import type { Tensor } from './tensor.js';

/** A tensor in a file, read only when it is asked for. */
export interface StoredTensor {
  readonly shape: readonly number[];
  /** Its values in single precision. Throws a UserError (data) if they are damaged, or of a type that is not read. */
  readonly read: () => Tensor;
}

/** What a file of named tensors holds. */
export interface StoredTensors {
  /** In the file's order. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}
