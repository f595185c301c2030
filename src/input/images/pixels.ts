import type { Crop } from '../ten-crop.js';
import type { ColourMap } from './colour.js';
import type { Size } from './crops.js';

/** An image as bytes, [H, W, 3]. */
export interface Pixels extends Size {
  readonly data: Uint8Array;
}

/** Mean of each channel over a square crop. */
export function meanColour({ data, width }: Pixels, { left, top }: Crop, side: number): number[] {
  let red = 0;
  let green = 0;
  let blue = 0;
  for (let y = top; y < top + side; y++) {
    const end = 3 * (y * width + left + side);
    for (let at = 3 * (y * width + left); at < end; at += 3) {
      red += data[at]!;
      green += data[at + 1]!;
      blue += data[at + 2]!;
    }
  }
  return [red, green, blue].map((sum) => sum / (side * side));
}

/** Writes a square crop, its colours mapped, mirrored after it is cut out, to `target` [3, side, side]. */
export function placeCrop(
  { data, width }: Pixels,
  { left, top, mirrored }: Crop,
  side: number,
  { matrix, offset }: ColourMap,
  target: Float32Array,
): void {
  const [m0 = 0, m1 = 0, m2 = 0, m3 = 0, m4 = 0, m5 = 0, m6 = 0, m7 = 0, m8 = 0] = matrix;
  const [o0 = 0, o1 = 0, o2 = 0] = offset;
  const plane = side * side;
  const step = mirrored ? -1 : 1;
  for (let y = 0; y < side; y++) {
    let at = 3 * ((top + y) * width + left);
    let out = y * side + (mirrored ? side - 1 : 0);
    for (let x = 0; x < side; x++) {
      const r = data[at]!;
      const g = data[at + 1]!;
      const b = data[at + 2]!;
      target[out] = m0 * r + m1 * g + m2 * b + o0;
      target[out + plane] = m3 * r + m4 * g + m5 * b + o1;
      target[out + 2 * plane] = m6 * r + m7 * g + m8 * b + o2;
      at += 3;
      out += step;
    }
  }
}
