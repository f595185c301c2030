import { mapShape, type Tape, type Value, value } from './tape.js';

/**
 * The shortcut without parameters (He et al. 2016a, option A): every `stride`-th row and column, then zeros up to
 * `channels`. x: [N, C, H, W]; result: [N, channels, ⌈H/stride⌉, ⌈W/stride⌉].
 */
export function padShortcut(tape: Tape, x: Value, channels: number, stride: number): Value {
  const [n, inputs, height, width] = mapShape(x);
  const outHeight = Math.ceil(height / stride);
  const outWidth = Math.ceil(width / stride);
  const y = value([n, channels, outHeight, outWidth]);
  const pairs = (visit: (iy: number, ix: number) => void) => {
    for (let image = 0; image < n; image++)
      for (let c = 0; c < inputs; c++)
        for (let row = 0; row < outHeight; row++)
          for (let column = 0; column < outWidth; column++) {
            const iy = ((image * channels + c) * outHeight + row) * outWidth + column;
            visit(iy, ((image * inputs + c) * height + row * stride) * width + column * stride);
          }
  };
  pairs((iy, ix) => {
    y.data[iy] = x.data[ix]!;
  });
  tape.record(() =>
    pairs((iy, ix) => {
      x.gradient[ix]! += y.gradient[iy]!;
    }),
  );
  return y;
}
