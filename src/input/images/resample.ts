import type { Size } from './crops.js';
import type { Pixels } from './pixels.js';

/** How pixels are interpolated. Both reach further where they shrink an image, against aliasing. */
export type Interpolation = 'bicubic' | 'bilinear';

interface Kernel {
  /** Places on each side that it reaches where the size stays. */
  readonly reach: number;
  weight(distance: number): number;
}

/** Catmull and Rom's cubic (a = −1/2), and the triangle. */
const KERNELS: Readonly<Record<Interpolation, Kernel>> = {
  bicubic: {
    reach: 2,
    weight: (d) => (d < 1 ? (1.5 * d - 2.5) * d * d + 1 : d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0),
  },
  bilinear: { reach: 1, weight: (d) => Math.max(0, 1 - d) },
};

/** Resizes an image as Pillow does, to the bit but for a rounded half: rows, then columns, each rounded to bytes. */
export function resample(image: Pixels, size: Size, interpolation: Interpolation): Pixels {
  const wide = image.width === size.width ? image : resampleRows(image, size.width, KERNELS[interpolation]);
  return wide.height === size.height ? wide : resampleColumns(wide, size.height, KERNELS[interpolation]);
}

/** Weights are integers of this many binary places, as in Pillow: sums of 255 times all of them fit 32 bits. */
const PLACES = 22;
const HALF = 1 << (PLACES - 1);

/** [H, W, 3] to [H, width, 3]. */
function resampleRows({ data, width: from, height }: Pixels, width: number, kernel: Kernel): Pixels {
  const { taps, first, weights } = interpolationWeights(from, width, kernel);
  const target = new Uint8ClampedArray(3 * height * width);
  let out = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let at = 3 * (y * from + first[x]!);
      let [red, green, blue] = [HALF, HALF, HALF];
      for (let w = x * taps; w < (x + 1) * taps; w++) {
        const weight = weights[w]!;
        red += weight * data[at]!;
        green += weight * data[at + 1]!;
        blue += weight * data[at + 2]!;
        at += 3;
      }
      target[out++] = red >> PLACES;
      target[out++] = green >> PLACES;
      target[out++] = blue >> PLACES;
    }
  }
  return { data: new Uint8Array(target.buffer), width, height };
}

/** [H, W, 3] to [height, W, 3]. */
function resampleColumns({ data, width, height: from }: Pixels, height: number, kernel: Kernel): Pixels {
  const { taps, first, weights } = interpolationWeights(from, height, kernel);
  const row = 3 * width;
  const target = new Uint8ClampedArray(height * row);
  const sums = new Int32Array(row);
  for (let y = 0; y < height; y++) {
    sums.fill(HALF);
    // Two rows at once: of an odd number, the last one is taken a second time with weight 0.
    for (let tap = 0; tap < taps; tap += 2) {
      const weight = weights[y * taps + tap]!;
      const start = (first[y]! + tap) * row;
      const paired = tap + 1 < taps;
      const weight2 = paired ? weights[y * taps + tap + 1]! : 0;
      const start2 = paired ? start + row : start;
      for (let at = 0; at < row; at++) {
        sums[at] = sums[at]! + weight * data[start + at]! + weight2 * data[start2 + at]!;
      }
    }
    for (let at = 0; at < row; at++) target[y * row + at] = sums[at]! >> PLACES;
  }
  return { data: new Uint8Array(target.buffer), width, height };
}

/** For each output place: the first of the input places, all within the image, and the weight of each. */
function interpolationWeights(from: number, to: number, { reach, weight }: Kernel) {
  const scale = from / to;
  const stretch = Math.max(1, scale);
  const taps = Math.min(from, Math.ceil(2 * reach * stretch));
  const first = new Uint32Array(to);
  const weights = new Int32Array(taps * to);
  for (let t = 0; t < to; t++) {
    const centre = (t + 0.5) * scale - 0.5;
    const start = Math.max(0, Math.min(from - taps, Math.floor(centre - reach * stretch) + 1));
    first[t] = start;
    const own = Array.from({ length: taps }, (_, tap) => weight(Math.abs(start + tap - centre) / stretch));
    const sum = own.reduce((a, b) => a + b, 0);
    weights.set(
      own.map((value) => Math.round((value / sum) * 2 ** PLACES)),
      taps * t,
    );
  }
  return { taps, first, weights };
}
