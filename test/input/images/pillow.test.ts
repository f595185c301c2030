import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decode } from '../../../src/input/images/decode.js';

interface Case {
  readonly name: string;
  readonly part: readonly [number, number, number, number];
  readonly size: readonly [number, number];
  readonly interpolation: 'bicubic' | 'bilinear';
}

const read = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../fixtures/pillow/${name}`, import.meta.url)));
const fixture = JSON.parse(read('fixture.json').toString()) as { rowStep: number; cases: readonly Case[] };
const resized = gunzipSync(read('resized.gz'));

/**
 * Levels of 255 by which a byte may differ from Pillow's, at most and on average. libvips shrinks in fixed point with
 * fewer bits than Pillow; whatever else happens is the same but for the rounding of a half, and both decode alike.
 */
const BY_LIBVIPS = { most: 3, mean: 0.3 };
const EXACT = { most: 1, mean: 0.01 };

/** What libvips shrinks: a JPEG of red, green and blue, to more than a quarter. */
function tolerance({ name, part: [, , width, height], size }: Case) {
  const shrinks = Math.max(width / size[0], height / size[1]);
  const ordinary = name.endsWith('.jpg') && name !== 'cmyk.jpg';
  return ordinary && shrinks > 1 && shrinks < 4 ? BY_LIBVIPS : EXACT;
}

describe('cutting and resizing agree with Pillow', () => {
  let at = 0;
  for (const one of fixture.cases) {
    const { name, part, size, interpolation } = one;
    const [left, top, width, height] = part;
    const start = at;
    const rows = Math.ceil(size[1] / fixture.rowStep);
    at += 3 * size[0] * rows;
    test(`${name}, ${width}×${height} to ${size.join('×')}, ${interpolation}`, async () => {
      const target = { width: size[0], height: size[1] };
      const cut = { part: { left, top, width, height }, size: target };
      const pixels = await decode(read(name), () => cut, interpolation);
      expect(pixels).toMatchObject(target);
      let most = 0;
      let sum = 0;
      const row = 3 * target.width;
      for (let i = 0; i < rows * row; i++) {
        const y = fixture.rowStep * Math.floor(i / row);
        const difference = Math.abs(resized[start + i]! - pixels.data[y * row + (i % row)]!);
        most = Math.max(most, difference);
        sum += difference;
      }
      expect(most).toBeLessThanOrEqual(tolerance(one).most);
      expect(sum / (rows * row)).toBeLessThan(tolerance(one).mean);
    });
  }

  test('every byte of the fixture was compared', () => {
    expect(at).toBe(resized.length);
  });
});
