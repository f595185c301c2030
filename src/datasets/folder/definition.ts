import { basename } from 'node:path';
import { type DatasetDefinition, FOLDER } from '../dataset.js';

/** What a config says of a folder of images. */
export interface FolderOptions {
  /** Absolute. */
  readonly path?: string | undefined;
  /** Height and width of the network's input. */
  readonly size?: number | undefined;
  /** They are resized and cropped as ImageNet's, when they are needed; otherwise made small once, into memory. */
  readonly photographs?: boolean | undefined;
  /** The share of each class that is the test set, where there is no folder of test images. */
  readonly testFraction?: number | undefined;
  /** Decides which images these are. */
  readonly splitSeed?: number | undefined;
  /** Take test images that are training images too. */
  readonly allowDuplicates?: boolean | undefined;
  /** Names of their folders, by label. */
  readonly classes?: readonly string[] | undefined;
  /** What the folder held when the images were first read for a run. */
  readonly contents?: FolderContents | undefined;
}

/** The same with the defaults. */
export type FolderChoice = FolderOptions &
  Required<Pick<FolderOptions, 'path' | 'size' | 'photographs' | 'splitSeed' | 'classes'>>;

export interface FolderContents {
  /** SHA-256 over split, class, name and content of every image. */
  readonly digest: string;
  /** Images that can be read. */
  readonly train: number;
  readonly test: number;
  /** Of each channel of the training images, at the network's size, on the scale 0–255. */
  readonly mean: number[];
  readonly deviation: number[];
}

export function folderChoice(options: FolderOptions): FolderChoice {
  const {
    path = '',
    photographs = false,
    size = photographs ? 224 : 32,
    splitSeed = 1,
    classes = [],
  } = options;
  return { ...options, path, size, photographs, splitSeed, classes };
}

/** The dataset that a folder is. Counts and normalisation are known once its images were read. */
export function folderDefinition(options: FolderOptions): DatasetDefinition<typeof FOLDER> {
  const { path, size, photographs, classes, contents } = folderChoice(options);
  const title = basename(path);
  return {
    name: FOLDER,
    title,
    shortName: `${title} (folder)`,
    table: 2,
    classNames: classes,
    image: { channels: 3, height: size, width: size },
    photographs,
    trainCount: contents?.train ?? Number.POSITIVE_INFINITY,
    testCount: contents?.test ?? Number.POSITIVE_INFINITY,
    get normalization() {
      if (contents) return contents;
      throw new Error(`the images in ${path} have not been read`);
    },
    augmentations: photographs ? ['mirror', 'sized-crop', 'color-jitter', 'lighting'] : ['shift', 'mirror'],
    origin: 'brought',
    sources: [],
    files: [],
  };
}
