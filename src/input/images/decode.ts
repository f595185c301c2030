import sharp from 'sharp';
import type { Rectangle, Size } from './crops.js';
import { enlarge, type Interpolation } from './enlarge.js';
import { imageSize } from './header.js';
import type { Pixels } from './pixels.js';

// One image is one thread's work: the pool has a worker for each core. Nothing is used twice, so nothing is cached.
sharp.concurrency(1);
sharp.cache(false);

/** libvips's names; both reach further where they shrink. */
const KERNELS = { bicubic: 'cubic', bilinear: 'linear' } as const;

/** Which part of an image is wanted, at which size. */
export interface Cut {
  readonly part: Rectangle;
  readonly size: Size;
}

/**
 * Decodes a JPEG or PNG file, cuts a part out and scales it. Grey images become red, green and blue; CMYK is
 * converted; transparency is dropped; colour profiles and orientation tags are ignored, as by the authors' code.
 * @param choose says, from the size of the whole image, which part is wanted
 * Throws an Error that says what is wrong with the file.
 */
export async function decode(
  file: Buffer,
  choose: (size: Size) => Cut,
  interpolation: Interpolation,
): Promise<Pixels> {
  const whole = imageSize(file);
  if (whole === undefined || whole.width === 0 || whole.height === 0) {
    throw new Error('it is neither a JPEG nor a PNG file');
  }
  const { part, size } = choose(whole);
  const width = Math.min(part.width, size.width);
  const height = Math.min(part.height, size.height);
  // A part is cut out even where it is the whole: then libvips decodes at full size, and does all the scaling.
  const image = sharp(file, { failOn: 'error', ignoreIcc: true })
    .extract(part)
    .resize(width, height, { fit: 'fill', kernel: KERNELS[interpolation] })
    .removeAlpha()
    .toColourspace('srgb')
    .raw({ depth: 'uchar' });
  const { data, info } = await image.toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`it has ${info.channels} channels`);
  return enlarge({ data, width, height }, size, interpolation);
}
