import sharp from 'sharp';
import type { ResizeStyle } from '../augmentation.js';
import type { Normalization } from '../memory-source.js';
import { centreCrop, withShorterSide } from './crops.js';
import { decode } from './decode.js';
import { imageHeader } from './header.js';
import { prepare } from './prepare.js';

/** What a network takes. */
export interface InputShape {
  readonly channels: number;
  /** Height and width. */
  readonly side: number;
  /** It was trained on photographs, which are resized and cropped. */
  readonly photographs: boolean;
  readonly resize: ResizeStyle;
  readonly normalization: Normalization;
}

/**
 * The network's input of one encoded image, [C, side, side]. A photograph is prepared as in testing. For networks of
 * small images, the shorter side is scaled to the network's, and the centre cut out: an image of the right size stays
 * as it is. Any format that sharp reads. Throws an Error that says what is wrong with the file.
 */
export async function singleImage(encoded: Buffer, shape: InputShape): Promise<Float32Array> {
  const { channels, side, photographs, normalization } = shape;
  const file = await jpegOrPng(encoded);
  if (photographs) {
    const target = new Float32Array(3 * side * side);
    await prepare(file, 0, 'centre', { ...shape, augmentation: [], seed: 0 }, target);
    return target;
  }
  const bytes = await smallImage(file, channels, side);
  const plane = side * side;
  return Float32Array.from(bytes, (byte, at) => {
    const channel = Math.floor(at / plane);
    return (byte - normalization.mean[channel]!) / normalization.deviation[channel]!;
  });
}

/** An image of another format that sharp reads becomes a PNG file; of an animation, its first picture. */
export async function jpegOrPng(encoded: Buffer): Promise<Buffer> {
  return imageHeader(encoded) ? encoded : sharp(encoded).png().toBuffer();
}

/** The centre of a JPEG or PNG image as bytes, [C, side, side]; one channel is luminance (ITU-R 601), as in Pillow. */
export async function smallImage(file: Buffer, channels: number, side: number): Promise<Uint8Array> {
  const whole = (size: { width: number; height: number }) => ({
    part: { left: 0, top: 0, ...size },
    size: withShorterSide(size, side),
  });
  const { data, width, height } = await decode(file, whole, 'bicubic');
  const { left, top } = centreCrop({ width, height }, side, 'even');
  const bytes = new Uint8Array(channels * side * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const at = 3 * ((top + y) * width + left + x);
      const [red, green, blue] = [data[at]!, data[at + 1]!, data[at + 2]!];
      const values =
        channels === 1 ? [(19595 * red + 38470 * green + 7471 * blue + 32768) >> 16] : [red, green, blue];
      values.forEach((value, c) => {
        bytes[(c * side + y) * side + x] = value;
      });
    }
  }
  return bytes;
}
