/**
 * The definition of correct: every stage of a network in double precision, forward and backward, as plain
 * loops. Nothing here is fast. An operation computes its result and records on the tape how the gradient of
 * the result flows back to its operands.
 */

/** An array, row-major, and the gradient of the loss with respect to it, of the same shape. */
export interface Value {
  readonly shape: readonly number[];
  readonly data: Float64Array;
  readonly gradient: Float64Array;
}

/** Feature maps have the shape [N, C, H, W]. */
export type MapShape = readonly [number, number, number, number];

export function value(shape: readonly number[], data?: ArrayLike<number>): Value {
  const size = shape.reduce((product, n) => product * n, 1);
  return {
    shape,
    data: data ? Float64Array.from(data) : new Float64Array(size),
    gradient: new Float64Array(size),
  };
}

export function mapShape({ shape }: Value): MapShape {
  if (shape.length !== 4) throw new Error(`[${shape.join(', ')}] is not the shape of feature maps`);
  return shape as MapShape;
}

export class Tape {
  private readonly steps: (() => void)[] = [];
  /**
   * How near the computation came to a point where it has no derivative: the smallest |x| that entered a
   * ReLU, and the smallest lead of a maximum. Rounding may decide differently there.
   */
  nearestKink = Number.POSITIVE_INFINITY;

  /** `backward` adds to the gradients of the operands. */
  record(backward: () => void): void {
    this.steps.push(backward);
  }

  /** Carries `share` times the gradient of `loss`, a scalar, back to everything that it was computed from. */
  backward(loss: Value, share = 1): void {
    loss.gradient[0] = share;
    for (const step of this.steps.toReversed()) step();
  }
}
