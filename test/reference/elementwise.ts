import { mapShape, type Tape, type Value, value } from './tape.js';

export function relu(tape: Tape, x: Value): Value {
  const y = value(
    x.shape,
    x.data.map((v) => Math.max(v, 0)),
  );
  // An exact 0 is what an earlier ReLU or padding made: it stays 0 whatever moves.
  for (const v of x.data) if (v !== 0) tape.nearestKink = Math.min(tape.nearestKink, Math.abs(v));
  tape.record(() => {
    for (let i = 0; i < x.data.length; i++) if (x.data[i]! > 0) x.gradient[i]! += y.gradient[i]!;
  });
  return y;
}

/** a + b, of the same shape. */
export function add(tape: Tape, a: Value, b: Value): Value {
  const y = value(
    a.shape,
    a.data.map((v, i) => v + b.data[i]!),
  );
  tape.record(() => {
    for (let i = 0; i < y.data.length; i++) {
      a.gradient[i]! += y.gradient[i]!;
      b.gradient[i]! += y.gradient[i]!;
    }
  });
  return y;
}

/** x times a constant. */
export function scale(tape: Tape, x: Value, factor: number): Value {
  return dropout(tape, x, new Float64Array(x.data.length).fill(factor));
}

/** Multiplies by a mask, of x's size: 0 where a value is dropped, 1/(1 − p) where it is kept. */
export function dropout(tape: Tape, x: Value, mask: Float64Array): Value {
  const y = value(
    x.shape,
    x.data.map((v, i) => v * mask[i]!),
  );
  tape.record(() => {
    for (let i = 0; i < x.data.length; i++) x.gradient[i]! += y.gradient[i]! * mask[i]!;
  });
  return y;
}

/** Concatenation along the channels: [N, A, H, W] and [N, B, H, W] → [N, A + B, H, W]. */
export function concatenate(tape: Tape, a: Value, b: Value): Value {
  const [n, aChannels, height, width] = mapShape(a);
  const [, bChannels] = mapShape(b);
  const aSize = aChannels * height * width;
  const bSize = bChannels * height * width;
  const y = value([n, aChannels + bChannels, height, width]);
  for (let image = 0; image < n; image++) {
    const start = image * (aSize + bSize);
    for (let i = 0; i < aSize; i++) y.data[start + i] = a.data[image * aSize + i]!;
    for (let i = 0; i < bSize; i++) y.data[start + aSize + i] = b.data[image * bSize + i]!;
  }
  tape.record(() => {
    for (let image = 0; image < n; image++) {
      const start = image * (aSize + bSize);
      for (let i = 0; i < aSize; i++) a.gradient[image * aSize + i]! += y.gradient[start + i]!;
      for (let i = 0; i < bSize; i++) b.gradient[image * bSize + i]! += y.gradient[start + aSize + i]!;
    }
  });
  return y;
}
