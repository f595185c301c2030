/** Images of one split, as bytes. */
export interface ImageSet {
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** [N, C, H, W] row-major, 0–255. */
  readonly images: Uint8Array;
  /** [N], 0 … classes−1. */
  readonly labels: Uint8Array | Uint16Array;
  /** What people call an image, where it has a name. */
  name?(index: number): Promise<string>;
}

/** A part of a file. */
export interface FileRange {
  readonly path: string;
  /** First byte. */
  readonly start: number;
  readonly bytes: number;
}

/** Images of one split that lie in files, each to be decoded when it is needed. */
export interface ImageFiles {
  readonly count: number;
  /** [N], 0 … classes−1. */
  readonly labels: Uint16Array;
  /** Where the encoded image lies. */
  locate(index: number): FileRange;
  /** What people call it. */
  name(index: number): Promise<string>;
}

export interface DatasetOf<Images> {
  readonly definition: DatasetDefinition<DatasetName | typeof FOLDER>;
  readonly train: Images;
  readonly test: Images;
  /** SHA-256 that names the data that a run used: over the digests of the data files, or over what an index holds. */
  readonly digest: string;
  /** Which of the definition's variants it is, where it is not the published data. */
  readonly variant?: string;
  /** What a person should know of it: that it is a variant, or not all of the published data. */
  readonly note?: string;
  /** Names of the images that cannot be read and were left out. */
  readonly skipped?: readonly string[];
}

/** A dataset whose images are in memory, or in files. */
export type Dataset = DatasetOf<ImageSet> | DatasetOf<ImageFiles>;

/** A file as its publisher serves it. */
export interface SourceFile {
  readonly name: string;
  readonly url: string;
  readonly bytes: number;
  /** Absent for `gzip`: there the digest of what is inside counts, since people gzip the same file anew. */
  readonly sha256?: string;
  /**
   * `plain`: a data file as it is. `gzip`: one data file; the name without `.gz` is the data file's.
   * `tar.gz`: all data files of the dataset.
   */
  readonly packing: 'plain' | 'gzip' | 'tar.gz';
  /** The folder inside a `tar.gz`, and so the one that people have who unpacked it. */
  readonly innerFolder?: string;
  /** What else is published of the data, which is not supported here: the archive and the folder inside it, by name. */
  readonly otherVersions?: Readonly<Record<string, readonly string[]>>;
}

/** A file as it lies in the data folder. */
export interface DataFile {
  readonly name: string;
  readonly bytes: number;
  /** Where a digest is published. */
  readonly sha256?: string;
  /** Where only this digest is published. */
  readonly md5?: string;
}

/** The images of a dataset in another form, which somebody published again: its errors are not the dataset's. */
export interface DatasetVariant {
  /** Behind the dataset's name: `C10+ (JPEG)`. */
  readonly name: string;
  /** SHA-256 over the data files' digests (`datasetDigest`), by which it is known. */
  readonly digest: string;
  readonly note: string;
}

/** How many images of each class to hold out from the training images `first … first + count − 1`. */
export interface HoldOutPart {
  readonly first: number;
  readonly count: number;
  readonly perClass: number;
}

/** For small images: shift and mirror; for photographs: all but shift. */
export const AUGMENTATIONS = ['shift', 'mirror', 'sized-crop', 'color-jitter', 'lighting'] as const;
export type Augmentation = (typeof AUGMENTATIONS)[number];

/** What is known of a dataset before a byte of it is here. */
export interface DatasetDefinition<Name extends string = DatasetName> {
  readonly name: Name;
  /** For people: `CIFAR-10`. */
  readonly title: string;
  /** As the paper's tables call it, or would: `C10`. */
  readonly shortName: string;
  /** The table of the paper that its test errors stand in, or beside. */
  readonly table: 2 | 3;
  readonly classNames: readonly string[];
  readonly image: { readonly channels: number; readonly height: number; readonly width: number };
  /** Its images are larger than that, in files: they are resized and cropped, and can be evaluated by ten crops. */
  readonly photographs?: boolean;
  readonly trainCount: number;
  readonly testCount: number;
  /** Mean and standard deviation of each channel on the 0–255 scale: normalised = (byte − mean) / deviation. */
  readonly normalization: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
  /** What may be done to its training images. */
  readonly augmentations: readonly Augmentation[];
  /**
   * How its data come here: downloaded; with the program; or brought by a person, since they need a registration, and
   * then an index of them is made, and there are no sources and files.
   */
  readonly origin: 'downloaded' | 'shipped' | 'brought';
  /** What to download; empty for other origins. */
  readonly sources: readonly SourceFile[];
  /** What lies on disk, in the order it is read. */
  readonly files: readonly DataFile[];
  /** Other data under the same file names, which are not what is published. */
  readonly variants?: readonly DatasetVariant[];
  /** The customary validation set, used when exactly that many images are held out. */
  readonly holdOutParts?: readonly HoldOutPart[];
}

export const DATASET_NAMES = [
  'cifar10',
  'cifar100',
  'svhn',
  'fashion-mnist',
  'fashion-mnist-mini',
  'imagenet',
] as const;
export type DatasetName = (typeof DATASET_NAMES)[number];

/** In a config: a person's own images, in a folder of theirs. */
export const FOLDER = 'folder';
