import sharp, { type Sharp } from 'sharp';
import type { Rectangle, Size } from './crops.js';
import { type ImageHeader, imageHeader } from './header.js';
import type { Pixels } from './pixels.js';
import { type Interpolation, resample } from './resample.js';

// One image is one thread's work: the pool has a worker for each core. Nothing is used twice, so nothing is cached.
sharp.concurrency(1);
sharp.cache(false);

/** libvips's names; both reach further where they shrink. */
const KERNELS = { bicubic: 'cubic', bilinear: 'linear' } as const;

/** Where an image shrinks to a quarter and further, libvips takes means of blocks first, unlike Pillow. */
const BLOCKWISE = 4;

/** Which part of an image is wanted, at which size. */
export interface Cut {
  readonly part: Rectangle;
  readonly size: Size;
}

/**
 * Decodes a JPEG or PNG file, cuts a part out and scales it, as Pillow does. Grey images become red, green and blue;
 * CMYK is converted; transparency is dropped; colour profiles and orientation tags are ignored, as by the authors'
 * code.
 * @param choose says, from the size of the whole image, which part is wanted
 * Throws an Error that says what is wrong with the file.
 */
export async function decode(
  file: Buffer,
  choose: (size: Size) => Cut,
  interpolation: Interpolation,
): Promise<Pixels> {
  const header = imageHeader(file);
  if (header === undefined || header.width === 0 || header.height === 0) {
    throw new Error('it is neither a JPEG nor a PNG file');
  }
  const { part, size } = choose(header);
  // A part is cut out even where it is the whole: then libvips decodes at full size, and does all the scaling.
  const image = sharp(file, { failOn: 'error', ignoreIcc: true }).extract(part);
  if (header.components === 4) {
    return resample(withoutBlack(await read(image.pipelineColourspace('cmyk'), 'cmyk')), size, interpolation);
  }
  const shrinks = Math.max(part.width / size.width, part.height / size.height);
  if (shrinks >= BLOCKWISE || (await isTransparent(file, header))) {
    return resample(await read(image, 'srgb'), size, interpolation);
  }
  const width = Math.min(part.width, size.width);
  const height = Math.min(part.height, size.height);
  const scaled = image.resize(width, height, { fit: 'fill', kernel: KERNELS[interpolation] });
  // libvips enlarges a fraction of a pixel beside the right place.
  return resample(await read(scaled, 'srgb'), size, interpolation);
}

/** Whether pixels can be transparent: libvips would weigh their colours by that where it scales. */
async function isTransparent(file: Buffer, { format }: ImageHeader): Promise<boolean> {
  return format === 'png' && (await sharp(file).metadata()).hasAlpha === true;
}

/** [H, W, 3], or [H, W, 4] of CMYK. */
async function read(image: Sharp, space: 'srgb' | 'cmyk'): Promise<Pixels> {
  const pixels = image.removeAlpha().toColourspace(space).raw({ depth: 'uchar' });
  const { data, info } = await pixels.toBuffer({ resolveWithObject: true });
  const channels = space === 'cmyk' ? 4 : 3;
  if (info.channels !== channels) throw new Error(`it has ${info.channels} channels`);
  return { data, width: info.width, height: info.height };
}

/** CMYK as red, green and blue, without a colour profile: a colour is 255 less its ink, on what black lets through. */
function withoutBlack({ data, width, height }: Pixels): Pixels {
  const target = new Uint8Array(3 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const light = 255 - data[4 * pixel + 3]!;
    for (let c = 0; c < 3; c++) {
      target[3 * pixel + c] = Math.round(((255 - data[4 * pixel + c]!) * light) / 255);
    }
  }
  return { data: target, width, height };
}
