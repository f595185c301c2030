import { mapShape, type Tape, type Value, value } from './tape.js';

/** Padding never wins: it counts as −∞. Result: [N, C, H′, W′]. */
export function maxPooling(tape: Tape, x: Value, kernel: number, stride: number, padding: number): Value {
  const [n, channels, height, width] = mapShape(x);
  const outHeight = Math.floor((height + 2 * padding - kernel) / stride) + 1;
  const outWidth = Math.floor((width + 2 * padding - kernel) / stride) + 1;
  const y = value([n, channels, outHeight, outWidth]);
  const source = new Int32Array(y.data.length);

  for (let map = 0; map < n * channels; map++)
    for (let row = 0; row < outHeight; row++)
      for (let column = 0; column < outWidth; column++) {
        let best = -1;
        let lead = Number.POSITIVE_INFINITY;
        for (let kr = 0; kr < kernel; kr++)
          for (let kc = 0; kc < kernel; kc++) {
            const r = row * stride - padding + kr;
            const c = column * stride - padding + kc;
            if (r < 0 || r >= height || c < 0 || c >= width) continue;
            const i = (map * height + r) * width + c;
            if (best < 0) best = i;
            else if (x.data[i]! > x.data[best]!) {
              lead = x.data[i]! - x.data[best]!;
              best = i;
            } else lead = Math.min(lead, x.data[best]! - x.data[i]!);
          }
        const iy = (map * outHeight + row) * outWidth + column;
        y.data[iy] = x.data[best]!;
        source[iy] = best;
        // Where a ReLU made everything 0, no gradient passes, whichever 0 is taken.
        if (x.data[best] !== 0) tape.nearestKink = Math.min(tape.nearestKink, lead);
      }
  tape.record(() => {
    for (const [iy, ix] of source.entries()) x.gradient[ix]! += y.gradient[iy]!;
  });
  return y;
}

/** 2×2, stride 2; an odd last row or column is left out. */
export function averagePooling(tape: Tape, x: Value): Value {
  const [n, channels, height, width] = mapShape(x);
  const outHeight = Math.floor(height / 2);
  const outWidth = Math.floor(width / 2);
  const y = value([n, channels, outHeight, outWidth]);
  const pairs = (visit: (iy: number, ix: number) => void) => {
    for (let map = 0; map < n * channels; map++)
      for (let row = 0; row < 2 * outHeight; row++)
        for (let column = 0; column < 2 * outWidth; column++) {
          const iy = (map * outHeight + Math.floor(row / 2)) * outWidth + Math.floor(column / 2);
          visit(iy, (map * height + row) * width + column);
        }
  };
  pairs((iy, ix) => {
    y.data[iy]! += x.data[ix]! / 4;
  });
  tape.record(() =>
    pairs((iy, ix) => {
      x.gradient[ix]! += y.gradient[iy]! / 4;
    }),
  );
  return y;
}

/** Mean of every feature map: [N, C, H, W] → [N, C]. */
export function globalAverage(tape: Tape, x: Value): Value {
  const [n, channels, height, width] = mapShape(x);
  const pixels = height * width;
  const y = value([n, channels]);
  for (let i = 0; i < x.data.length; i++) y.data[Math.floor(i / pixels)]! += x.data[i]! / pixels;
  tape.record(() => {
    for (let i = 0; i < x.data.length; i++) x.gradient[i]! += y.gradient[Math.floor(i / pixels)]! / pixels;
  });
  return y;
}
