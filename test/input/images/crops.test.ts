import { describe, expect, test } from 'vitest';
import { drawColours, JITTERS } from '../../../src/input/images/colour.js';
import { centreCrop, randomSizedCrop, withShorterSide } from '../../../src/input/images/crops.js';

describe('random sized crops', () => {
  const size = { width: 500, height: 375 };
  const crops = Array.from({ length: 20_000 }, (_, i) => randomSizedCrop(size, 1, 7, i)).filter(
    (crop) => crop !== undefined,
  );

  test('lie within the image, with the areas and aspect ratios that were asked for', () => {
    for (const { left, top, width, height } of crops) {
      expect(left >= 0 && top >= 0 && left + width <= 500 && top + height <= 375).toBe(true);
      const area = (width * height) / (500 * 375);
      expect(area).toBeGreaterThan(0.079);
      expect(width / height).toBeGreaterThan(0.74);
      expect(width / height).toBeLessThan(1.36);
    }
  });

  test('rarely find no place in ten tries, and reach every edge', () => {
    expect(20_000 - crops.length).toBeLessThan(60);
    expect(Math.min(...crops.map(({ left }) => left))).toBe(0);
    expect(Math.max(...crops.map(({ left, width }) => left + width))).toBe(500);
    expect(Math.max(...crops.map(({ top, height }) => top + height))).toBe(375);
  });

  test('are uniform in area while all fit, and upright as often as lying', () => {
    const square = { width: 1000, height: 1000 };
    const all = Array.from({ length: 20_000 }, (_, i) => randomSizedCrop(square, 1, 7, i)!);
    const small = all.filter(({ width, height }) => width * height < 0.4e6).length;
    const smaller = all.filter(({ width, height }) => width * height < 0.24e6).length;
    expect(Math.abs(smaller / small - 0.5)).toBeLessThan(0.02);
    const upright = all.filter(({ width, height }) => height > width).length;
    expect(Math.abs(upright / all.length - 0.5)).toBeLessThan(0.02);
  });

  test('there is none in an image that is too long for any', () => {
    const tries = Array.from({ length: 200 }, (_, i) =>
      randomSizedCrop({ width: 4000, height: 10 }, 1, 0, i),
    );
    expect(tries.every((crop) => crop === undefined)).toBe(true);
  });
});

test('the shorter side is scaled, the longer one rounded down', () => {
  expect(withShorterSide({ width: 500, height: 375 }, 256)).toEqual({ width: 341, height: 256 });
  expect(withShorterSide({ width: 375, height: 500 }, 256)).toEqual({ width: 256, height: 341 });
  expect(withShorterSide({ width: 256, height: 256 }, 256)).toEqual({ width: 256, height: 256 });
});

test('centre crops of odd margins: up as in Torch, half to even as in Python', () => {
  const at = (width: number, rounding: 'up' | 'even') =>
    centreCrop({ width, height: 224 }, 224, rounding).left;
  expect([225, 227, 229, 341].map((width) => at(width, 'up'))).toEqual([1, 2, 3, 59]);
  expect([225, 227, 229, 341].map((width) => at(width, 'even'))).toEqual([0, 2, 2, 58]);
  expect(at(256, 'up')).toBe(at(256, 'even'));
});

test('colours: factors are uniform in 0.6 … 1.4, in every order; lighting has deviation 0.1', () => {
  const draws = Array.from({ length: 6000 }, (_, i) =>
    drawColours({ jitter: true, lighting: true }, 1, 2, i),
  );
  const orders = new Map<string, number>();
  for (const { jitter } of draws) {
    const order = jitter.map(({ kind }) => kind).join();
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  expect(orders.size).toBe(6);
  for (const count of orders.values()) expect(Math.abs(count - 1000)).toBeLessThan(130);
  for (const kind of JITTERS) {
    const factors = draws.map(({ jitter }) => jitter.find((one) => one.kind === kind)!.factor);
    expect(Math.min(...factors)).toBeGreaterThanOrEqual(0.6);
    expect(Math.max(...factors)).toBeLessThan(1.4);
    expect(Math.abs(factors.filter((factor) => factor < 0.8).length / 6000 - 0.25)).toBeLessThan(0.03);
  }
  for (const i of [0, 1, 2]) {
    const square = draws.reduce((sum, { lighting }) => sum + lighting[i]! ** 2, 0) / draws.length;
    expect(Math.sqrt(square)).toBeGreaterThan(0.096);
    expect(Math.sqrt(square)).toBeLessThan(0.104);
  }
  expect(drawColours({ jitter: false, lighting: false }, 1, 2, 3)).toEqual({ jitter: [], lighting: [] });
});
