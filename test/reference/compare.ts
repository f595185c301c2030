/** ‖actual − expected‖ / ‖expected‖; 0 where they are equal, zeros too. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const error = distance(actual, expected);
  return error === 0 ? 0 : error / norm(expected);
}

/** ‖a − b‖; infinite where the lengths differ, so that nothing compares equal to its beginning. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}

/** ‖a‖ */
export function norm(a: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! ** 2;
  return Math.sqrt(sum);
}
