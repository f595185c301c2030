import type { Augmentation } from '../datasets/dataset.js';
import { bits, key, PURPOSE } from '../util/random.js';

/** Shift: zero-pad by this many pixels on every side, then crop at random (paper, section 4.1). */
const SHIFT_PADDING = 4;

/** How photographs are resized: as the paper's code does it, or as torchvision does it for its published weights. */
export const RESIZE_STYLES = ['paper', 'torchvision'] as const;
export type ResizeStyle = (typeof RESIZE_STYLES)[number];

/** Where the pixels of one augmented image come from. */
export interface Placement {
  /** Mirror left to right, before the shift. */
  readonly mirrored: boolean;
  /** The output pixel (y, x) is the (mirrored) source pixel (y + down, x + right); outside the source it is 0. */
  readonly down: number;
  readonly right: number;
}

export const UNCHANGED: Placement = { mirrored: false, down: 0, right: 0 };

/**
 * Draws the augmentation of one image: a pure function of (seed, epoch, index of the image in its set). The
 * mirror has probability ½, the shifts are uniform in −4 … 4.
 */
export function drawPlacement(
  augmentation: readonly Augmentation[],
  seed: number,
  epoch: number,
  index: number,
): Placement {
  const mirrored =
    augmentation.includes('mirror') && (bits(key(seed, PURPOSE.mirror, epoch), index) & 1) === 1;
  if (!augmentation.includes('shift')) return { mirrored, down: 0, right: 0 };
  const crop = key(seed, PURPOSE.crop, epoch);
  const offset = (counter: number) => (bits(crop, counter) % (2 * SHIFT_PADDING + 1)) - SHIFT_PADDING;
  return { mirrored, down: offset(2 * index), right: offset(2 * index + 1) };
}
