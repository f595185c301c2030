import type { Size } from './crops.js';
import type { Pixels } from './pixels.js';

/** How pixels are interpolated. Both reach further where they shrink an image, against aliasing. */
export type Interpolation = 'bicubic' | 'bilinear';

/** Catmull and Rom's cubic (a = −1/2), or the triangle; `reach` in pixels to each side. */
const KERNELS: Readonly<Record<Interpolation, { reach: number; weight: (distance: number) => number }>> = {
  bicubic: {
    reach: 2,
    weight: (d) => (d < 1 ? (1.5 * d - 2.5) * d * d + 1 : d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0),
  },
  bilinear: { reach: 1, weight: (d) => Math.max(0, 1 - d) },
};

/**
 * Enlarges an image to a size that is at least its own in both directions: rows, then columns, each rounded to
 * bytes. libvips does it a fraction of a pixel beside the right place, so this is done here; it agrees with Pillow.
 */
export function enlarge(image: Pixels, size: Size, interpolation: Interpolation): Pixels {
  const wide =
    image.width === size.width
      ? image
      : {
          data: resample(image.data, image.height, image.width, size.width, 3, interpolation),
          width: size.width,
          height: image.height,
        };
  if (wide.height === size.height) return wide;
  const data = resample(wide.data, 1, wide.height, size.height, 3 * wide.width, interpolation);
  return { data, ...size };
}

/** Resamples the middle axis of bytes [outer, from, inner] to [outer, to, inner]. */
function resample(
  source: Uint8Array,
  outer: number,
  from: number,
  to: number,
  inner: number,
  interpolation: Interpolation,
): Uint8Array {
  const { taps, first, weights } = interpolationWeights(from, to, interpolation);
  const target = new Uint8ClampedArray(outer * to * inner);
  for (let o = 0; o < outer; o++) {
    for (let t = 0; t < to; t++) {
      const start = (o * from + first[t]!) * inner;
      const out = (o * to + t) * inner;
      for (let i = 0; i < inner; i++) {
        let sum = 0;
        for (let tap = 0; tap < taps; tap++)
          sum += weights[t * taps + tap]! * source[start + tap * inner + i]!;
        target[out + i] = sum;
      }
    }
  }
  return new Uint8Array(target.buffer);
}

/** For each output place: the first input place, and the weight of each that follows; beyond the edge is nothing. */
function interpolationWeights(from: number, to: number, interpolation: Interpolation) {
  const { reach, weight } = KERNELS[interpolation];
  const taps = Math.min(2 * reach, from);
  const first = new Uint32Array(to);
  const weights = new Float64Array(to * taps);
  for (let t = 0; t < to; t++) {
    const centre = ((t + 0.5) * from) / to - 0.5;
    first[t] = Math.max(0, Math.min(from - taps, Math.floor(centre) - reach + 1));
    const own = Array.from({ length: taps }, (_, tap) => weight(Math.abs(first[t]! + tap - centre)));
    const sum = own.reduce((a, b) => a + b, 0);
    weights.set(
      own.map((value) => value / sum),
      t * taps,
    );
  }
  return { taps, first, weights };
}
