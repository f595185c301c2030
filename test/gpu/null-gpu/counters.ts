import { readFileSync } from 'node:fs';

/** What the null GPU counts, in the order of null.h. */
export const COUNTERS = [
  /** Kernels of TensorFlow's and XLA's own. */
  'kernels',
  /** Calls of cuBLAS and cuDNN, each of one kernel or more. */
  'libraryCalls',
  'graphLaunches',
  'graphNodes',
  'memsets',
  /** Copies to the device, and from it. */
  'uploads',
  'uploadedBytes',
  'downloads',
  'downloadedBytes',
  'deviceCopies',
] as const;

export type Counts = Record<(typeof COUNTERS)[number], number>;

/** What a process with NULL_GPU_COUNTERS=`file` has done so far. */
export function readCounters(file: string): Counts {
  const bytes = readFileSync(file);
  return Object.fromEntries(
    COUNTERS.map((name, index) => [name, Number(bytes.readBigInt64LE(8 * index))]),
  ) as Counts;
}

export function difference(after: Counts, before: Counts): Counts {
  return Object.fromEntries(COUNTERS.map((name) => [name, after[name] - before[name]])) as Counts;
}
