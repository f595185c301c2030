import sharp from 'sharp';
import { expect, test } from 'vitest';
import { cifar10 } from '../../../src/datasets/cifar.js';
import { imagenet } from '../../../src/datasets/imagenet/definition.js';
import { prepare } from '../../../src/input/images/prepare.js';
import { type InputShape, singleImage } from '../../../src/input/images/single-image.js';
import { noise } from '../../datasets/support/tiny.js';

const SMALL: InputShape = {
  channels: 3,
  side: 32,
  photographs: false,
  resize: 'paper',
  normalization: cifar10.normalization,
};

function image(width: number, height: number) {
  const pixels = noise(`${width}x${height}`, 3 * width * height);
  return { pixels, encoded: sharp(pixels, { raw: { width, height, channels: 3 } }) };
}

/** Float by float; a matcher would spell out every difference of thousands. */
function same(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, at) => value === b[at]);
}

test('an image of the right size is what the dataset would hold: normalised, by channel', async () => {
  const { pixels, encoded } = image(32, 32);
  const input = await singleImage(await encoded.png().toBuffer(), SMALL);
  const { mean, deviation } = cifar10.normalization;
  const expected = Float32Array.from(input, (_, at) => {
    const channel = Math.floor(at / 1024);
    return (pixels[3 * (at % 1024) + channel]! - mean[channel]!) / deviation[channel]!;
  });
  expect(same(input, expected)).toBe(true);
});

test('of a wider one, the centre', async () => {
  const { encoded } = image(40, 32);
  const centre = encoded.clone().extract({ left: 4, top: 0, width: 32, height: 32 });
  const whole = await singleImage(await encoded.png().toBuffer(), SMALL);
  expect(same(whole, await singleImage(await centre.png().toBuffer(), SMALL))).toBe(true);
});

test('grey is the luminance that Pillow computes', async () => {
  // Pillow 12: Image.new('RGB', (28, 28), (200, 100, 50)).convert('L').getpixel((0, 0)) is 124.
  const encoded = sharp({ create: { width: 28, height: 28, channels: 3, background: '#c86432' } });
  const normalization = { mean: [0], deviation: [1] };
  const grey = { ...SMALL, channels: 1, side: 28, normalization };
  expect(new Set(await singleImage(await encoded.png().toBuffer(), grey))).toEqual(new Set([124]));
});

test('a photograph is prepared as in testing, in any format', async () => {
  const { encoded } = image(300, 260);
  const shape = { ...SMALL, side: 224, photographs: true, normalization: imagenet.normalization };
  const png = await encoded.png().toBuffer();
  const expected = new Float32Array(3 * 224 * 224);
  await prepare(png, 0, 'centre', { ...shape, augmentation: [], seed: 0 }, expected);
  expect(same(await singleImage(png, shape), expected)).toBe(true);
  expect(same(await singleImage(await encoded.webp({ lossless: true }).toBuffer(), shape), expected)).toBe(
    true,
  );
});

test('what is not an image is an error', async () => {
  await expect(singleImage(Buffer.from('text'), SMALL)).rejects.toThrow(/unsupported image format/);
});
