import { mapShape, type Tape, type Value, value } from './tape.js';

/** Convolution without bias. x: [N, I, H, W]; weight: [O, I, K, K]; result: [N, O, H′, W′]. */
export function convolution(tape: Tape, x: Value, weight: Value, stride: number, padding: number): Value {
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

  products((iy, ix, iw) => {
    y.data[iy]! += x.data[ix]! * weight.data[iw]!;
  });
  tape.record(() =>
    products((iy, ix, iw) => {
      x.gradient[ix]! += y.gradient[iy]! * weight.data[iw]!;
      weight.gradient[iw]! += y.gradient[iy]! * x.data[ix]!;
    }),
  );
  return y;
}
