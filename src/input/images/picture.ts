import sharp from 'sharp';
import type { ImageFiles, ImageSet } from '../../datasets/dataset.js';
import { readRange } from './worker.js';

/** Height and width of the picture of a photograph, at most. */
const SIDE = 96;

/** An image of a split to be looked at, small, as a data URL. */
export async function picture(split: ImageSet | ImageFiles, index: number): Promise<string> {
  if ('images' in split) {
    const { channels, height, width } = split;
    const plane = height * width;
    const first = index * channels * plane;
    // [C, H, W] to [H, W, C].
    const pixels = Uint8Array.from(
      { length: channels * plane },
      (_, at) => split.images[first + (at % channels) * plane + Math.floor(at / channels)]!,
    );
    const raw = { width, height, channels: channels as 1 | 3 };
    return dataUrl('png', await sharp(pixels, { raw }).png().toBuffer());
  }
  const file = readRange(split.locate(index));
  const small = sharp(file).resize(SIDE, SIDE, { fit: 'inside', withoutEnlargement: true });
  return dataUrl('jpeg', await small.flatten().jpeg({ quality: 80 }).toBuffer());
}

function dataUrl(format: 'png' | 'jpeg', bytes: Buffer): string {
  return `data:image/${format};base64,${bytes.toString('base64')}`;
}
