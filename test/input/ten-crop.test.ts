import { expect, test } from 'vitest';
import { CROPS, tenCrops } from '../../src/input/ten-crop.js';

test('centre and corners of the image, then of its mirror image', () => {
  const crops = tenCrops(256, 256, 224);
  expect(crops).toHaveLength(CROPS);
  const places = crops.map(({ mirrored, top, left }) => [mirrored, top, left]);
  expect(places.slice(0, 5)).toEqual([
    [false, 16, 16],
    [false, 0, 0],
    [false, 0, 32],
    [false, 32, 0],
    [false, 32, 32],
  ]);
  expect(places.slice(5)).toEqual(places.slice(0, 5).map(([, top, left]) => [true, top, left]));
});

test('every crop lies inside, also of images that are no squares and come out odd', () => {
  for (const [height, width] of [
    [7, 12],
    [12, 7],
    [7, 7],
    [8, 7],
  ] as const) {
    for (const { top, left } of tenCrops(height, width, 7)) {
      expect(top).toBeGreaterThanOrEqual(0);
      expect(left).toBeGreaterThanOrEqual(0);
      expect(top + 7).toBeLessThanOrEqual(height);
      expect(left + 7).toBeLessThanOrEqual(width);
    }
  }
  expect(tenCrops(10, 8, 7)[0]).toEqual({ mirrored: false, top: 2, left: 1 });
});
