import type { ModelState } from '../../../src/engines/engine.js';
import type { NamedTensors } from '../../../src/util/tensor.js';
import { distance, norm } from '../../reference/compare.js';

/** Tensors in double precision or single, under the network's names. */
export type Arrays = ReadonlyMap<string, Float32Array | Float64Array>;

export interface ExpectedState {
  readonly weights: Arrays;
  readonly momentum: Arrays;
}

/**
 * Some gradients are differences that nearly cancel, and rounding is all that is left of them: a scale before
 * another batch normalisation (`norm0.weight`) changes nothing. So an error is measured against the tensor's
 * own norm or, where that is smaller, against this share of the root mean square over all tensors. PyTorch's
 * single precision errs by up to 7e-7 of that root mean square in such tensors.
 */
const CANCELLED = 0.05;

/** Rounding of a stored number, a few units in the last place, relative to its size. */
const ROUNDING = 1e-6;

/**
 * What differs, as readable lines; empty where all agrees. Momentum: by `tolerance`, relative in norm. Weights
 * and running statistics: their change since `before` by `tolerance`, relative in norm.
 */
export function stateFaults(
  actual: ModelState,
  expected: ExpectedState,
  before: Arrays,
  tolerance: number,
): string[] {
  const faults = [
    ...nameFaults(actual.weights, expected.weights),
    ...nameFaults(actual.momentum, expected.momentum),
  ];
  if (faults.length > 0) return faults;

  const everything = [...expected.momentum.values()];
  const values = everything.reduce((sum, data) => sum + data.length, 0);
  const meanSquare = everything.reduce((sum, data) => sum + norm(data) ** 2, 0) / values;
  for (const [name, data] of expected.momentum) {
    const scale = Math.max(norm(data), CANCELLED * Math.sqrt(meanSquare * data.length));
    faults.push(...fault(`momentum of ${name}`, actual.momentum.get(name)!.data, data, tolerance * scale));
  }
  for (const [name, data] of expected.weights) {
    const allowed = tolerance * distance(data, before.get(name)!) + ROUNDING * norm(data);
    faults.push(...fault(name, actual.weights.get(name)!.data, data, allowed));
  }
  return faults;
}

/** What differs by more than `tolerance`, relative in norm. */
export function arrayFaults(
  what: string,
  actual: Float32Array,
  expected: Float32Array | Float64Array,
  tolerance: number,
): string[] {
  return fault(what, actual, expected, tolerance * norm(expected));
}

export function lossFaults(what: string, actual: number, expected: number, tolerance: number): string[] {
  return fault(`loss ${what}`, [actual], [expected], tolerance * expected);
}

function fault(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  allowed: number,
): string[] {
  const error = distance(actual, expected);
  if (error <= allowed) return [];
  return [`${what}: off by ${error.toExponential(1)}, allowed ${allowed.toExponential(1)}`];
}

function nameFaults(actual: NamedTensors, expected: Arrays): string[] {
  const missing = [...expected.keys()].filter((name) => !actual.has(name));
  const unknown = [...actual.keys()].filter((name) => !expected.has(name));
  return [
    ...missing.map((name) => `${name}: missing`),
    ...unknown.map((name) => `${name}: not of the network`),
  ];
}
