/** One line of the selftest's table. */
export interface Finding {
  readonly what: string;
  /** From what it should be; not finite where there is nothing to compare. */
  readonly deviation: number;
  readonly allowed: number;
  readonly passed: boolean;
  /** What there is to say beside the numbers. */
  readonly note?: string;
}

/** A deviation that is no number is a fault. */
export function check(what: string, deviation: number, allowed: number, note?: string): Finding {
  return { what, deviation, allowed, passed: deviation <= allowed, ...(note === undefined ? {} : { note }) };
}

/** For what could not be looked at, since the engine threw. */
export function failure(what: string, error: unknown): Finding {
  return check(what, Number.NaN, 0, error instanceof Error ? error.message : String(error));
}

/** ‖actual − expected‖ / ‖expected‖, or beside `least` where ‖expected‖ is smaller. Infinite where lengths differ. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>, least = 0): number {
  if (actual.length !== expected.length || expected.length === 0) return Number.POSITIVE_INFINITY;
  let error = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    error += (actual[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return error === 0 ? 0 : Math.sqrt(error) / Math.max(Math.sqrt(size), least);
}
