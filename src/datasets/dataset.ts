/** Images of one split, as bytes. */
export interface ImageSet {
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** [N, C, H, W] row-major, 0–255. */
  readonly images: Uint8Array;
  /** [N], 0 … classes−1. */
  readonly labels: Uint8Array;
}

export interface Dataset {
  readonly definition: DatasetDefinition;
  readonly train: ImageSet;
  readonly test: ImageSet;
  /** SHA-256 over the digests of the source files: names the data that a run used. */
  readonly digest: string;
}

/** A file as its publisher serves it. */
export interface SourceFile {
  readonly name: string;
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What is known of a dataset before a byte of it is here. */
export interface DatasetDefinition {
  readonly name: DatasetName;
  /** For people: `CIFAR-10`. */
  readonly title: string;
  readonly classNames: readonly string[];
  readonly image: { readonly channels: number; readonly height: number; readonly width: number };
  readonly trainCount: number;
  readonly testCount: number;
  /** Mean and standard deviation of each channel on the 0–255 scale: normalised = (byte − mean) / deviation. */
  readonly normalization: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
  readonly sources: readonly SourceFile[];
}

export const DATASET_NAMES = ['cifar10', 'cifar100', 'svhn', 'fashion-mnist', 'fashion-mnist-mini'] as const;
export type DatasetName = (typeof DATASET_NAMES)[number];
