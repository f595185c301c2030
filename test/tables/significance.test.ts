import { describe, expect, it, test } from 'vitest';
import { spread } from '../../src/tables/measurements.js';
import {
  againstOneRun,
  betweenMeans,
  meanInterval,
  pValue,
  seedsToSee,
} from '../../src/tables/significance.js';
import { key, normal } from '../../src/util/random.js';

const A = spread([4.68, 4.41, 4.77])!;
const B = spread([5.1, 4.9, 5.3, 5.05])!;

// The expected numbers are those of SciPy 1.15: stats.t.ppf, stats.t.sf and stats.ttest_ind(equal_var=False).
describe('agrees with SciPy', () => {
  it('on the interval of a mean', () => {
    expect(meanInterval(A)).toBeCloseTo(0.4654030511, 8);
  });

  it('on a difference from one run', () => {
    const { difference, low, high, p } = againstOneRun(A, 4.51)!;
    expect(difference).toBeCloseTo(0.11, 10);
    expect(high - difference).toBeCloseTo(0.9308061023, 8);
    expect(difference - low).toBeCloseTo(0.9308061023, 8);
    expect(p).toBeCloseTo(0.6616585614, 8);
  });

  it("on Welch's test of two means", () => {
    const { low, high, p } = betweenMeans(A, B)!;
    expect(p).toBeCloseTo(0.0255367505, 8);
    expect(low).toBeCloseTo(-0.842243375, 8);
    expect(high).toBeCloseTo(-0.092756625, 8);
  });

  // From the power of the test by the noncentral t distribution.
  it.each([
    [0.03, 3],
    [0.05, 6],
    [0.1, 17],
    [0.2, 64],
    [0.5, 394],
  ])('on the seeds that show 0.1 points at a spread of %f', (sd, seeds) => {
    expect(seedsToSee(0.1, sd)).toBe(seeds);
  });
});

test('one seed, and seeds without any spread, give no interval of a difference', () => {
  const one = spread([5])!;
  const same = spread([5, 5])!;
  expect([meanInterval(one), againstOneRun(one, 4), betweenMeans(one, A), betweenMeans(A, one)]).toEqual(
    Array(4).fill(undefined),
  );
  expect([againstOneRun(same, 4), betweenMeans(same, same)]).toEqual([undefined, undefined]);
});

describe('95 of 100 intervals hold the truth', () => {
  const RUNS = 4000;
  /** Three standard deviations of a proportion of 0.95 in RUNS draws. */
  const TOLERANCE = 3 * Math.sqrt((0.95 * 0.05) / RUNS);
  let drawn = 0;
  const draw = () => normal(key(1), drawn++);
  const sample = (n: number, mean: number, sd: number) =>
    spread(Array.from({ length: n }, () => mean + sd * draw()))!;
  const covered = (holds: () => boolean) => Array.from({ length: RUNS }, holds).filter(Boolean).length / RUNS;

  it.each([2, 3, 5])('of the mean of %i seeds', (n) => {
    const share = covered(() => {
      const seeds = sample(n, 4.5, 0.2);
      return Math.abs(seeds.mean - 4.5) <= meanInterval(seeds)!;
    });
    expect(Math.abs(share - 0.95)).toBeLessThan(TOLERANCE);
  });

  it.each([2, 3, 5])('of the difference of %i seeds from one run', (n) => {
    const share = covered(() => {
      const { low, high } = againstOneRun(sample(n, 4.5, 0.2), 4.5 + 0.2 * draw())!;
      return low <= 0 && 0 <= high;
    });
    expect(Math.abs(share - 0.95)).toBeLessThan(TOLERANCE);
  });

  it("and nearly so many of unequal spreads, for which Welch's test is an approximation", () => {
    const share = covered(() => {
      const { low, high } = betweenMeans(sample(4, 4.5, 0.1), sample(3, 4.5, 0.3))!;
      return low <= 0 && 0 <= high;
    });
    expect(Math.abs(share - 0.95)).toBeLessThan(TOLERANCE + 0.01);
  });
});

test('p is printed as far as it says something', () => {
  expect([0.6617, 0.034, 0.0034, 0.00034].map(pValue)).toEqual([
    'p = 0.66',
    'p = 0.03',
    'p = 0.003',
    'p < 0.001',
  ]);
});
