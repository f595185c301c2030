import jstat from 'jstat';
import type { Spread } from './measurements.js';
import { signed } from './sheet.js';

const { studentt } = jstat.jStat;

/** What a difference of two mean errors is worth, in percentage points. */
export interface Comparison {
  readonly difference: number;
  /** 95 % interval of the difference. */
  readonly low: number;
  readonly high: number;
  /** Two-sided: the probability of so large a difference, or a larger one, if there is none. */
  readonly p: number;
}

/**
 * 95 % interval of the mean over seeds, by Student's t, as its distance from the mean. Errors of seeds are taken as
 * independent and normal. Undefined for one seed.
 */
export function meanInterval({ n, sd }: Spread): number | undefined {
  return sd === undefined ? undefined : quantile(0.975, n - 1) * (sd / Math.sqrt(n));
}

/**
 * Our mean minus a number that is known from one run, as the paper's are. Its spread is not known and taken as ours:
 * standard error sd·√(1 + 1/n), n − 1 degrees of freedom. Undefined for one seed, or without any spread.
 */
export function againstOneRun({ n, mean, sd }: Spread, figure: number): Comparison | undefined {
  return sd ? comparison(mean - figure, sd * Math.sqrt(1 + 1 / n), n - 1) : undefined;
}

/** First mean minus the second by Welch's test, for unequal spreads. Undefined if either has one seed, or no spread. */
export function betweenMeans(a: Spread, b: Spread): Comparison | undefined {
  if (a.sd === undefined || b.sd === undefined) return undefined;
  const [u, v] = [a.sd ** 2 / a.n, b.sd ** 2 / b.n];
  if (u + v === 0) return undefined;
  const degrees = (u + v) ** 2 / (u ** 2 / (a.n - 1) + v ** 2 / (b.n - 1));
  return comparison(a.mean - b.mean, Math.sqrt(u + v), degrees);
}

/** `−0.12 [−1.05, +0.81]`: the difference with its interval. */
export function intervalText({ difference, low, high }: Comparison, digits = 2): string {
  return `${signed(difference, digits)} [${signed(low, digits)}, ${signed(high, digits)}]`;
}

function comparison(difference: number, error: number, degrees: number): Comparison {
  const half = quantile(0.975, degrees) * error;
  const p = 2 * studentt.cdf(-Math.abs(difference) / error, degrees);
  return { difference, low: difference - half, high: difference + half, p };
}

/**
 * Seeds of each of two experiments of spread `sd` that show a true difference of `points` in four of five attempts
 * (power 80 %, two-sided 5 %), by quantiles of t; those of the normal distribution give the least it can be.
 */
export function seedsToSee(points: number, sd: number): number {
  const least = Math.floor(2 * (((1.95 + 0.84) * sd) / points) ** 2);
  for (let n = Math.max(2, least); ; n++) {
    const degrees = 2 * (n - 1);
    const needed = (quantile(0.975, degrees) + quantile(0.8, degrees)) * sd * Math.sqrt(2 / n);
    if (needed <= points) return n;
  }
}

function quantile(probability: number, degrees: number): number {
  return studentt.inv(probability, degrees);
}

/** `p = 0.03`, `p < 0.001`. */
export function pValue(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(p < 0.01 ? 3 : 2)}`;
}
