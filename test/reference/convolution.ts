import { mapShape, type Tape, type Value, value } from './tape.js';

/** What becomes of a number before it is multiplied. */
export type Rounding = (x: number) => number;

export const exact: Rounding = (x) => x;

/**
 * Convolution without bias. x: [N, I, H, W]; weight: [O, I, K, K]; result: [N, O, H′, W′]. Both operands of every
 * product are rounded, forward and backward; sums are not.
 */
export function convolution(
  tape: Tape,
  x: Value,
  weight: Value,
  stride: number,
  padding: number,
  round: Rounding = exact,
): Value {
  const [n, inputs, height, width] = mapShape(x);
  const [outputs, , kernel] = mapShape(weight);
  const outHeight = Math.floor((height + 2 * padding - kernel) / stride) + 1;
  const outWidth = Math.floor((width + 2 * padding - kernel) / stride) + 1;
  const y = value([n, outputs, outHeight, outWidth]);

  /** Calls `visit` with the indices into y, x and weight of every product in the sum. */
  const products = (visit: (iy: number, ix: number, iw: number) => void) => {
    for (let image = 0; image < n; image++)
      for (let o = 0; o < outputs; o++)
        for (let row = 0; row < outHeight; row++)
          for (let column = 0; column < outWidth; column++) {
            const iy = ((image * outputs + o) * outHeight + row) * outWidth + column;
            for (let i = 0; i < inputs; i++)
              for (let kr = 0; kr < kernel; kr++)
                for (let kc = 0; kc < kernel; kc++) {
                  const r = row * stride - padding + kr;
                  const c = column * stride - padding + kc;
                  if (r < 0 || r >= height || c < 0 || c >= width) continue;
                  const ix = ((image * inputs + i) * height + r) * width + c;
                  visit(iy, ix, ((o * inputs + i) * kernel + kr) * kernel + kc);
                }
          }
  };

  const pixels = x.data.map(round);
  const weights = weight.data.map(round);
  products((iy, ix, iw) => {
    y.data[iy]! += pixels[ix]! * weights[iw]!;
  });
  tape.record(() => {
    const gradients = y.gradient.map(round);
    products((iy, ix, iw) => {
      x.gradient[ix]! += gradients[iy]! * weights[iw]!;
      weight.gradient[iw]! += gradients[iy]! * pixels[ix]!;
    });
  });
  return y;
}
