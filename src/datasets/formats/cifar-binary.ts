import { fileSize, readSmallFile } from '../../util/read-files.js';
import { FormatError } from './format-error.js';

/** A record is the label bytes, then 1024 red, 1024 green and 1024 blue bytes, row-major. */
export interface CifarLayout {
  /** 1 for CIFAR-10; 2 for CIFAR-100: coarse, then fine. */
  readonly labelBytes: number;
  /** Which of the label bytes is the class. */
  readonly labelAt: number;
}

export const CIFAR_IMAGE_BYTES = 3 * 32 * 32;

/**
 * Reads one binary CIFAR file into place.
 * @param images [N, 3, 32, 32] @param labels [N] @param first index of the file's first image
 * @returns the number of images read. Throws `FormatError`.
 */
export async function readCifarBinary(
  path: string,
  layout: CifarLayout,
  images: Uint8Array,
  labels: Uint8Array,
  first: number,
): Promise<number> {
  const record = layout.labelBytes + CIFAR_IMAGE_BYTES;
  const size = await fileSize(path);
  const count = size / record;
  if (!Number.isInteger(count) || first + count > labels.length) {
    throw new FormatError(path, `has ${size} bytes, which is not what a CIFAR file has`);
  }
  const bytes = await readSmallFile(path, size);
  for (let i = 0; i < count; i++) {
    const start = i * record;
    labels[first + i] = bytes[start + layout.labelAt]!;
    images.set(bytes.subarray(start + layout.labelBytes, start + record), (first + i) * CIFAR_IMAGE_BYTES);
  }
  return count;
}
