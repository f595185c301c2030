import { bits, key, PURPOSE, uniform } from '../../util/random.js';
import type { Crop } from '../ten-crop.js';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A part of an image, in whole pixels. */
export interface Rectangle extends Size {
  readonly left: number;
  readonly top: number;
}

/** The size with its shorter side scaled to `side`; the longer one is rounded down. */
export function withShorterSide({ width, height }: Size, side: number): Size {
  return width < height
    ? { width: side, height: Math.floor((side * height) / width) }
    : { width: Math.floor((side * width) / height), height: side };
}

/**
 * How the authors' code (`up`) and torchvision (`even`) round the offset of a centre crop, which differ where the
 * margin is odd: up, and half to even.
 */
export type CentreRounding = 'up' | 'even';

function centreOffset(margin: number, rounding: CentreRounding): number {
  const half = margin / 2;
  if (rounding === 'up') return Math.ceil(half);
  return half % 1 === 0.5 ? 2 * Math.round(half / 2) : half;
}

export function centreCrop(size: Size, side: number, rounding: CentreRounding): Crop {
  return {
    left: centreOffset(size.width - side, rounding),
    top: centreOffset(size.height - side, rounding),
    mirrored: false,
  };
}

const TRIES = 10;
const LEAST_AREA = 0.08;
const LEAST_ASPECT = 3 / 4;
const LARGEST_ASPECT = 4 / 3;
const DRAWS_OF_A_TRY = 5;

/**
 * The random sized crop of the authors' code: 8 % to 100 % of the area, aspect ratio 3/4 to 4/3 (uniform), width and
 * height swapped half of the time; at most 10 tries. A pure function of (seed, epoch, index).
 * @returns the part to be scaled to the input's size; undefined if no try fits
 */
export function randomSizedCrop(
  { width, height }: Size,
  seed: number,
  epoch: number,
  index: number,
): Rectangle | undefined {
  const k = key(seed, PURPOSE.crop, epoch, index);
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const draw = (n: number) => DRAWS_OF_A_TRY * attempt + n;
    const between = (n: number, low: number, high: number) => low + (high - low) * uniform(k, draw(n));
    const area = width * height * between(0, LEAST_AREA, 1);
    const aspect = between(1, LEAST_ASPECT, LARGEST_ASPECT);
    const sides = [Math.round(Math.sqrt(area * aspect)), Math.round(Math.sqrt(area / aspect))] as const;
    const [w, h] = uniform(k, draw(2)) < 0.5 ? [sides[1], sides[0]] : sides;
    if (w > width || h > height || w < 1 || h < 1) continue;
    const top = bits(k, draw(3)) % (height - h + 1);
    const left = bits(k, draw(4)) % (width - w + 1);
    return { left, top, width: w, height: h };
  }
  return undefined;
}
