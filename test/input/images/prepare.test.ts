import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Augmentation } from '../../../src/datasets/dataset.js';
import { imagenet } from '../../../src/datasets/imagenet/definition.js';
import { drawColours } from '../../../src/input/images/colour.js';
import { randomSizedCrop, withShorterSide } from '../../../src/input/images/crops.js';
import { decode } from '../../../src/input/images/decode.js';
import { type Preparation, type Purpose, prepare } from '../../../src/input/images/prepare.js';
import { bits, key, PURPOSE } from '../../../src/util/random.js';
import * as transforms from './transforms.js';

const JITTER = {
  brightness: transforms.brightness,
  contrast: transforms.contrast,
  saturation: transforms.saturation,
};

const SIDE = 56;
const SEED = 5;
const BASE: Preparation = {
  side: SIDE,
  augmentation: ['sized-crop', 'color-jitter', 'lighting', 'mirror'],
  seed: SEED,
  resize: 'paper',
  normalization: imagenet.normalization,
};

let file: Buffer;
beforeAll(async () => {
  const [width, height] = [131, 87];
  const pixels = Buffer.from({ length: 3 * width * height } as ArrayLike<number>);
  for (let i = 0; i < pixels.length; i++) pixels[i] = 128 + 90 * Math.sin(i / 50) + (bits(key(1), i) % 30);
  file = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 95 })
    .toBuffer();
});

async function make(purpose: Purpose, index: number, changes: Partial<Preparation> = {}) {
  const target = new Float32Array((purpose === 'ten-crop' ? 10 : 1) * 3 * SIDE * SIDE);
  await prepare(file, index, purpose, { ...BASE, ...changes }, target);
  return target;
}

/** Largest difference; normalised values are of the order of 1. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}

const SINGLE_PRECISION = 2e-6;

describe('training images', () => {
  test('are what the transforms make of them one after another in double precision', async () => {
    for (let index = 0; index < 12; index++) {
      const epoch = 3 + index;
      const part = randomSizedCrop({ width: 131, height: 87 }, SEED, epoch, index)!;
      const pixels = await decode(file, () => ({ part, size: { width: SIDE, height: SIDE } }), 'bicubic');
      let image = transforms.fromBytes(pixels.data, SIDE, SIDE);
      const { jitter, lighting } = drawColours({ jitter: true, lighting: true }, SEED, epoch, index);
      for (const { kind, factor } of jitter) image = JITTER[kind](image, factor);
      image = transforms.normalize(transforms.lighting(image, lighting));
      if (bits(key(SEED, PURPOSE.mirror, epoch), index) & 1) image = transforms.mirror(image);
      expect(difference(await make({ epoch }, index), transforms.planes(image))).toBeLessThan(
        SINGLE_PRECISION * 4,
      );
    }
  });

  test.each([['sized-crop'], ['color-jitter'], ['lighting'], ['mirror']] as [Augmentation][])(
    '%s alone changes them from one epoch to the next, and nothing else does',
    async (augmentation) => {
      const epochs = await Promise.all(
        [0, 1, 2, 3, 4].map((epoch) => make({ epoch }, 0, { augmentation: [augmentation] })),
      );
      expect(new Set(epochs.map((values) => values.join())).size).toBe(augmentation === 'mirror' ? 2 : 5);
      const plain = await make({ epoch: 1 }, 0, { augmentation: [] });
      expect(plain).toEqual(await make('centre', 0));
    },
  );

  test('are the same for the same seed, epoch and index only', async () => {
    expect(await make({ epoch: 1 }, 2)).toEqual(await make({ epoch: 1 }, 2));
    expect(await make({ epoch: 1 }, 2)).not.toEqual(await make({ epoch: 1 }, 3));
    expect(await make({ epoch: 1 }, 2)).not.toEqual(await make({ epoch: 1 }, 2, { seed: 6 }));
  });
});

describe('test images', () => {
  async function resized(interpolation: 'bicubic' | 'bilinear') {
    const size = withShorterSide({ width: 131, height: 87 }, 64);
    const part = { left: 0, top: 0, width: 131, height: 87 };
    const { data } = await decode(file, () => ({ part, size }), interpolation);
    expect(size).toEqual({ width: 96, height: 64 });
    return transforms.normalize(transforms.fromBytes(data, size.width, size.height));
  }

  test.each([
    ['paper', 'bicubic'],
    ['torchvision', 'bilinear'],
  ] as const)('are centre crops, as %s resizes', async (resize, interpolation) => {
    const image = await resized(interpolation);
    const expected = transforms.planes(transforms.crop(image, 20, 4, SIDE));
    expect(difference(await make('centre', 0, { resize }), expected)).toBeLessThan(SINGLE_PRECISION);
  });

  test('have ten crops: centre and corners, then those of the mirror image', async () => {
    const image = await resized('bicubic');
    const places = [
      [20, 4],
      [0, 0],
      [40, 0],
      [0, 8],
      [40, 8],
    ] as const;
    const expected = [image, transforms.mirror(image)].flatMap((whole) =>
      places.flatMap(([left, top]) => transforms.planes(transforms.crop(whole, left, top, SIDE))),
    );
    expect(difference(await make('ten-crop', 0), expected)).toBeLessThan(SINGLE_PRECISION);
  });
});

describe('files that are not what their name says', () => {
  const part = { left: 0, top: 0, width: 40, height: 30 };
  const cut = () => ({ part, size: { width: 40, height: 30 } });
  const colour = () => sharp({ create: { width: 40, height: 30, channels: 3, background: '#c86432' } });

  test.each([
    ['PNG', () => colour().png()],
    ['PNG of a palette', () => colour().png({ palette: true })],
    ['PNG with transparency', () => colour().ensureAlpha(0.3).png()],
    ['PNG of 16 bits', () => colour().toColourspace('rgb16').png()],
    ['JPEG', () => colour().jpeg({ quality: 100 })],
    ['progressive JPEG', () => colour().jpeg({ quality: 100, progressive: true })],
    ['JPEG with an orientation', () => colour().withMetadata({ orientation: 6 }).jpeg({ quality: 100 })],
  ] as const)('%s', async (_, encode) => {
    const { data, width, height } = await decode(await encode().toBuffer(), cut, 'bicubic');
    expect([width, height]).toEqual([40, 30]);
    for (const [c, value] of [200, 100, 50].entries()) {
      expect(Math.abs(data[3 * 777 + c]! - value)).toBeLessThanOrEqual(2);
    }
  });

  test('a grey JPEG has three equal channels', async () => {
    const grey = await colour().toColourspace('b-w').jpeg().toBuffer();
    expect((await sharp(grey).metadata()).channels).toBe(1);
    const { data } = await decode(grey, cut, 'bicubic');
    expect(data.length).toBe(3 * 40 * 30);
    expect(data[1]).toBe(data[0]);
    expect(data[2]).toBe(data[0]);
  });

  test('a CMYK JPEG has about the colours that it was made of', async () => {
    const beige = sharp({ create: { width: 40, height: 30, channels: 3, background: '#e0d0c0' } });
    const cmyk = await beige.toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(cmyk).metadata()).channels).toBe(4);
    const { data } = await decode(cmyk, cut, 'bicubic');
    for (const [c, value] of [0xe0, 0xd0, 0xc0].entries())
      expect(Math.abs(data[c]! - value)).toBeLessThan(10);
  });

  test.each([
    ['empty', Buffer.alloc(0), 'neither a JPEG nor a PNG'],
    ['text', Buffer.from('<html>not found</html>'.repeat(9)), 'neither a JPEG nor a PNG'],
  ])('%s', async (_, content, message) => {
    await expect(decode(content, cut, 'bicubic')).rejects.toThrow(message);
  });

  test('cut short', async () => {
    const whole = file.subarray(0, Math.floor(0.7 * file.length));
    const all = { left: 0, top: 0, width: 131, height: 87 };
    await expect(decode(whole, () => ({ part: all, size: all }), 'bicubic')).rejects.toThrow(
      /premature|truncated/,
    );
  });
});
