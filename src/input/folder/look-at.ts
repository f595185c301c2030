import type { FolderImage } from '../../datasets/folder/listing.js';
import type { Reporter } from '../../util/reporter.js';
import { DecodingPool } from '../images/pool.js';
import { type Look, look, type Seen } from '../images/worker.js';

export interface LookOptions {
  /** For people: `reading`. */
  readonly what: string;
  /** Height and width that the images are made. */
  readonly side: number;
  /** Threads; one per core when undefined. */
  readonly workers?: number | undefined;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal | undefined;
  /** Where the bytes of an image go; nowhere where left out. */
  readonly target?: (index: number) => Look['target'];
}

/** It takes longer to start threads than to read so few images without. */
const FEW = 16;

/** Looks at images with a pool of threads; `use` hears of them in order. */
export async function lookAt(
  images: readonly FolderImage[],
  { what, side, workers, reporter, signal, target }: LookOptions,
  use: (image: FolderImage, seen: Seen) => void,
): Promise<void> {
  if (images.length === 0) return;
  const pool = images.length > FEW ? new DecodingPool(workers) : undefined;
  const atOnce = 32 * (pool?.workers ?? 1);
  const bar = reporter.bar(what, images.length, 'images');
  const lookAtOne = (image: FolderImage, index: number) => {
    // A task holds what can be sent to a thread, and no more than it needs.
    const { path, bytes } = image;
    const task = { image: { path, bytes }, side, target: target?.(index) };
    return pool ? pool.look(task) : look(task);
  };
  try {
    for (let first = 0; first < images.length; first += atOnce) {
      signal?.throwIfAborted();
      const some = images.slice(first, first + atOnce);
      const seen = await Promise.all(some.map((image, i) => lookAtOne(image, first + i)));
      for (const [i, image] of some.entries()) use(image, seen[i]!);
      bar.update(first + some.length);
    }
  } finally {
    bar.finish();
    await pool?.close();
  }
}
