import type { Reporter } from '../util/reporter.js';
import type { Dataset } from './dataset.js';
import type { RetryPolicy } from './files/download.js';

/**
 * A dataset on the disk. `folder` is the folder of all datasets. Every method throws a UserError (data) that says what
 * to do where the disk, the network or the files are not as they must be.
 */
export interface DatasetStore<D extends Dataset = Dataset> {
  /** Makes the dataset whole on disk; returns whether there was anything to do. */
  fetch(options: FetchOptions): Promise<boolean>;
  /** Whether the dataset is present, without reading its files. */
  status(folder: string): Promise<DatasetStatus>;
  /** Reads every file and compares its size and digest with the published or the recorded ones. */
  verify(folder: string, options?: VerifyOptions): Promise<DatasetCheck>;
  /** Opens the dataset. */
  load(folder: string): Promise<D>;
}

export interface FetchOptions {
  readonly folder: string;
  /** A folder to import from, or in which archives stay, instead of downloading. */
  readonly from?: string;
  /** Base URL to download from instead of the publisher's. */
  readonly mirror?: string;
  readonly reporter: Reporter;
  readonly retry?: RetryPolicy;
  readonly signal?: AbortSignal;
}

/** What can be said without reading the files: enough to notice what is missing or cut short. */
export interface DatasetStatus {
  /** Where this dataset lies. */
  readonly folder: string;
  /** What was recorded when it was fetched is there, and every file has its size. */
  readonly present: boolean;
  /** Size of the data files on disk. */
  readonly bytes: number;
  /** Names the data (`Dataset.digest`), where they are recorded. */
  readonly digest?: string;
  /** Images that are present, where that may be fewer than the definition says. */
  readonly counts?: { readonly train: number; readonly test: number };
}

export interface VerifyOptions {
  /** Hears how many bytes were read since the last call. */
  readonly onBytes?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

export interface DatasetCheck {
  readonly folder: string;
  /** What was recorded when it was fetched is there, and is of these files. */
  readonly recorded: boolean;
  /** It is recorded and every file is whole. */
  readonly whole: boolean;
  readonly files: readonly FileCheck[];
}

export interface FileCheck {
  readonly name: string;
  readonly path: string;
  readonly status: FileStatus;
  /** Size on disk; 0 when missing. */
  readonly bytes: number;
  /** SHA-256 of the file, where it was read and is whole. */
  readonly sha256: string | undefined;
}

/** `unrecorded`: the size is right, but no digest is published and the manifest that would know it is missing. */
export type FileStatus = 'whole' | 'missing' | 'wrong size' | 'wrong digest' | 'unrecorded';
