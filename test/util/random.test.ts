import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bits, key, normal, permutation, uniform } from '../../src/util/random.js';

const N = 100_000;

function draw(f: (i: number) => number): number[] {
  return Array.from({ length: N }, (_, i) => f(i));
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

describe('random numbers', () => {
  test('are a pure function of key and counter, and stay what they were in the first release', () => {
    const k = key(1, 2, 3);
    expect(draw((i) => bits(k, i))).toEqual(draw((i) => bits(key(1, 2, 3), i)));
    expect([bits(key(0), 0), bits(key(7, 1, 4), 100), bits(key(2 ** 40), 9)]).toMatchInlineSnapshot(`
      [
        2612203797,
        2305970936,
        1423291040,
      ]
    `);
  });

  test('uniform: mean ½, variance 1/12, each of 16 bins equally full', () => {
    const values = draw((i) => uniform(key(5), i));
    expect(mean(values)).toBeCloseTo(0.5, 2);
    expect(mean(values.map((v) => (v - 0.5) ** 2))).toBeCloseTo(1 / 12, 2);
    const bins = new Array<number>(16).fill(0);
    for (const v of values) bins[Math.floor(v * 16)]!++;
    const chiSquare = bins.reduce((sum, n) => sum + (n - N / 16) ** 2 / (N / 16), 0);
    expect(chiSquare).toBeLessThan(37.7);
  });

  test('every bit is set half the time, and neighbours in seed and counter are unrelated', () => {
    for (let bit = 0; bit < 32; bit++) {
      const share = mean(draw((i) => (bits(key(9), i) >>> bit) & 1));
      expect(Math.abs(share - 0.5)).toBeLessThan(0.01);
    }
    const correlation = (f: (i: number) => number, g: (i: number) => number) =>
      mean(draw((i) => (f(i) - 0.5) * (g(i) - 0.5))) * 12;
    const base = (i: number) => uniform(key(3, 1), i);
    expect(Math.abs(correlation(base, (i) => base(i + 1)))).toBeLessThan(0.015);
    expect(Math.abs(correlation(base, (i) => uniform(key(3, 2), i)))).toBeLessThan(0.015);
    expect(Math.abs(correlation(base, (i) => uniform(key(4, 1), i)))).toBeLessThan(0.015);
  });

  test('normal: mean 0, variance 1, fourth moment 3', () => {
    const values = draw((i) => normal(key(11), i));
    expect(Math.abs(mean(values))).toBeLessThan(0.015);
    expect(mean(values.map((v) => v ** 2))).toBeCloseTo(1, 1);
    expect(mean(values.map((v) => v ** 4))).toBeCloseTo(3, 0);
  });

  test('permutation: every index once', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 0, max: 300 }), (seed, n) => {
        const sorted = permutation(key(seed), n).toSorted();
        expect(sorted).toEqual(Uint32Array.from({ length: n }, (_, i) => i));
      }),
    );
  });

  test('permutation: every order of 4 is as likely', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 24_000; seed++) {
      const order = permutation(key(seed), 4).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
    expect(counts.size).toBe(24);
    expect(chiSquare).toBeLessThan(49.7);
  });
});
