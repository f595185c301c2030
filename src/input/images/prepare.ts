import type { Augmentation } from '../../datasets/dataset.js';
import { bits, key, PURPOSE } from '../../util/random.js';
import type { ResizeStyle } from '../augmentation.js';
import type { Normalization } from '../memory-source.js';
import { type Crop, tenCrops } from '../ten-crop.js';
import { colourMap, drawColours, IDENTITY, normalized } from './colour.js';
import { type CentreRounding, centreCrop, randomSizedCrop, type Size, withShorterSide } from './crops.js';
import { type Cut, decode } from './decode.js';
import { meanColour, placeCrop } from './pixels.js';
import type { Interpolation } from './resample.js';

const STYLES: Readonly<Record<ResizeStyle, { interpolation: Interpolation; rounding: CentreRounding }>> = {
  paper: { interpolation: 'bicubic', rounding: 'up' },
  torchvision: { interpolation: 'bilinear', rounding: 'even' },
};

/** What is done to the images of a source. */
export interface Preparation {
  /** Height and width of the network's input. */
  readonly side: number;
  readonly augmentation: readonly Augmentation[];
  readonly seed: number;
  readonly resize: ResizeStyle;
  readonly normalization: Normalization;
  /** Every format that sharp reads, not JPEG and PNG only. */
  readonly anyFormat?: boolean;
}

/** What an image is made for: training in an epoch, or testing by its centre or by ten crops. */
export type Purpose = { readonly epoch: number } | 'centre' | 'ten-crop';

/**
 * Makes the network's input of one encoded image, in the authors' order: crop, colour jitter, lighting,
 * normalisation, mirror for training; resize, normalisation and crops for testing.
 * @param target [3, side, side], or [10, 3, side, side] for ten crops
 * Throws an Error that says what is wrong with the file.
 */
export async function prepare(
  file: Buffer,
  index: number,
  purpose: Purpose,
  preparation: Preparation,
  target: Float32Array,
): Promise<void> {
  if (typeof purpose === 'object') await prepareForTraining(file, index, purpose.epoch, preparation, target);
  else await prepareForTest(file, purpose, preparation, target);
}

async function prepareForTraining(
  file: Buffer,
  index: number,
  epoch: number,
  { side, augmentation, seed, resize, normalization }: Preparation,
  target: Float32Array,
): Promise<void> {
  const { interpolation, rounding } = STYLES[resize];
  const does = (what: Augmentation) => augmentation.includes(what);
  const choose = (size: Size): Cut => {
    if (!does('sized-crop')) return wholeWithSide(size, testSide(side));
    const part = randomSizedCrop(size, seed, epoch, index);
    return part ? { part, size: { width: side, height: side } } : wholeWithSide(size, side);
  };
  const pixels = await decode(file, choose, interpolation);
  const place = {
    ...centreCrop(pixels, side, rounding),
    mirrored: does('mirror') && (bits(key(seed, PURPOSE.mirror, epoch), index) & 1) === 1,
  };
  const asked = { jitter: does('color-jitter'), lighting: does('lighting') };
  const mean = asked.jitter ? meanColour(pixels, place, side) : [0, 0, 0];
  const map = colourMap(drawColours(asked, seed, epoch, index), mean);
  placeCrop(pixels, place, side, normalized(map, normalization), target);
}

async function prepareForTest(
  file: Buffer,
  purpose: 'centre' | 'ten-crop',
  { side, resize, normalization }: Preparation,
  target: Float32Array,
): Promise<void> {
  const { interpolation, rounding } = STYLES[resize];
  const pixels = await decode(file, (size) => wholeWithSide(size, testSide(side)), interpolation);
  const map = normalized(IDENTITY, normalization);
  const places =
    purpose === 'ten-crop'
      ? tenCrops(pixels.height, pixels.width, side).map((crop) => inImage(crop, pixels.width - side))
      : [centreCrop(pixels, side, rounding)];
  const values = 3 * side * side;
  places.forEach((place, n) => {
    placeCrop(pixels, place, side, map, target.subarray(n * values, (n + 1) * values));
  });
}

/** The shorter side of a test image before it is cropped: 256 for 224. */
function testSide(side: number): number {
  return Math.round((256 / 224) * side);
}

function wholeWithSide(size: Size, shorter: number): Cut {
  return { part: { left: 0, top: 0, ...size }, size: withShorterSide(size, shorter) };
}

/** A crop of the mirror image is a mirrored crop of the image, as far from the other edge. */
function inImage(crop: Crop, right: number): Crop {
  return crop.mirrored ? { ...crop, left: right - crop.left } : crop;
}
