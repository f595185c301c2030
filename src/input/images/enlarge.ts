import type { Size } from './crops.js';
import type { Pixels } from './pixels.js';

/** How pixels are interpolated. Both reach further where they shrink an image, against aliasing. */
export type Interpolation = 'bicubic' | 'bilinear';

/** Catmull and Rom's cubic (a = −1/2), which reaches 2 pixels to each side, or the triangle, which reaches 1. */
const KERNELS: Readonly<Record<Interpolation, (distance: number) => number>> = {
  bicubic: (d) => (d < 1 ? (1.5 * d - 2.5) * d * d + 1 : d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0),
  bilinear: (d) => Math.max(0, 1 - d),
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

const TAPS = 4;

/** Weights are integers of this many binary places, as in Pillow. */
const PLACES = 22;
const HALF = 1 << (PLACES - 1);

/** Resamples the middle axis of bytes [outer, from, inner] to [outer, to, inner]. */
function resample(
  source: Uint8Array,
  outer: number,
  from: number,
  to: number,
  inner: number,
  interpolation: Interpolation,
): Uint8Array {
  const { first, weights } = interpolationWeights(from, to, interpolation);
  const target = new Uint8ClampedArray(outer * to * inner);
  // Where there are fewer places than taps, the last ones have weight 0 and are read anywhere.
  const [step1, step2, step3] = [1, 2, 3].map((tap) => inner * Math.min(tap, from - 1)) as [
    number,
    number,
    number,
  ];
  let out = 0;
  for (let o = 0; o < outer; o++) {
    for (let t = 0; t < to; t++) {
      const w0 = weights[TAPS * t]!;
      const w1 = weights[TAPS * t + 1]!;
      const w2 = weights[TAPS * t + 2]!;
      const w3 = weights[TAPS * t + 3]!;
      const start = (o * from + first[t]!) * inner;
      for (let at = start; at < start + inner; at++) {
        const sum =
          w0 * source[at]! + w1 * source[at + step1]! + w2 * source[at + step2]! + w3 * source[at + step3]!;
        target[out++] = (sum + HALF) >> PLACES;
      }
    }
  }
  return new Uint8Array(target.buffer);
}

/** For each output place: the first of the input places, and the weight of each; beyond the edge is nothing. */
function interpolationWeights(from: number, to: number, interpolation: Interpolation) {
  const weight = KERNELS[interpolation];
  const places = Math.min(TAPS, from);
  const first = new Uint32Array(to);
  const weights = new Int32Array(TAPS * to);
  for (let t = 0; t < to; t++) {
    const centre = ((t + 0.5) * from) / to - 0.5;
    const start = Math.max(0, Math.min(from - places, Math.floor(centre) - 1));
    first[t] = start;
    const own = Array.from({ length: places }, (_, place) => weight(Math.abs(start + place - centre)));
    const sum = own.reduce((a, b) => a + b, 0);
    weights.set(
      own.map((value) => Math.round((value / sum) * 2 ** PLACES)),
      TAPS * t,
    );
  }
  return { first, weights };
}
