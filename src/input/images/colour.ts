import { key, normal, PURPOSE, permutation, uniform } from '../../util/random.js';

/**
 * An affine map of colours: out = M·(r, g, b) + offset. Everything that the authors' recipe does to colours is one,
 * once the mean colour of the image is known, so one pass over the pixels does it all.
 */
export interface ColourMap {
  /** M, row-major. */
  readonly matrix: readonly number[];
  readonly offset: readonly number[];
}

export const IDENTITY: ColourMap = { matrix: [1, 0, 0, 0, 1, 0, 0, 0, 1], offset: [0, 0, 0] };

export const JITTERS = ['brightness', 'contrast', 'saturation'] as const;
type Jitter = (typeof JITTERS)[number];

/** What is drawn for the colours of one image. */
export interface ColourDraws {
  /** In the order in which they are applied; the factor blends with black, mean grey or grey. */
  readonly jitter: readonly { readonly kind: Jitter; readonly factor: number }[];
  /** Normally distributed weight of each principal component. */
  readonly lighting: readonly number[];
}

const JITTER = 0.4;
const LIGHTING = 0.1;

/**
 * Draws the colour jitter (factors uniform in 0.6 … 1.4, in random order) and the lighting (standard deviation 0.1) of
 * one image, as far as asked for: a pure function of (seed, epoch, index).
 */
export function drawColours(
  what: { readonly jitter: boolean; readonly lighting: boolean },
  seed: number,
  epoch: number,
  index: number,
): ColourDraws {
  const factors = key(seed, PURPOSE.jitter, epoch, index);
  const order = [...permutation(key(seed, PURPOSE.jitterOrder, epoch, index), JITTERS.length)];
  const jitter = order.map((i) => ({
    kind: JITTERS[i]!,
    factor: 1 + JITTER * (2 * uniform(factors, i) - 1),
  }));
  const weights = key(seed, PURPOSE.lighting, epoch, index);
  return {
    jitter: what.jitter ? jitter : [],
    lighting: what.lighting ? [0, 1, 2].map((i) => LIGHTING * normal(weights, i)) : [],
  };
}

/** Luma weights (ITU-R BT.601). */
const GREY = [0.299, 0.587, 0.114] as const;

/** Principal components of ImageNet's colours on the scale 0–1, from fb.resnet.torch's imagenet.lua. */
export const EIGENVALUES = [0.2175, 0.0188, 0.0045] as const;
/** Rows are channels, columns are components. */
export const EIGENVECTORS = [
  [-0.5675, 0.7192, 0.4009],
  [-0.5808, -0.0045, -0.814],
  [-0.5836, -0.6948, 0.4203],
] as const;

/**
 * The map that the draws amount to for an image, on the scale 0–255.
 * @param mean mean colour of the image; only contrast needs it
 */
export function colourMap({ jitter, lighting }: ColourDraws, mean: readonly number[]): ColourMap {
  let map = IDENTITY;
  for (const { kind, factor } of jitter) {
    const rest = 1 - factor;
    if (kind === 'brightness') map = compose(scaled(factor), map);
    if (kind === 'contrast') {
      const grey = rest * dot(GREY, apply(map, mean));
      map = compose({ ...scaled(factor), offset: [grey, grey, grey] }, map);
    }
    if (kind === 'saturation') {
      const blended = scaled(factor).matrix.map((value, i) => value + rest * GREY[i % 3]!);
      map = compose({ matrix: blended, offset: [0, 0, 0] }, map);
    }
  }
  if (lighting.length === 0) return map;
  const light = EIGENVECTORS.map((row) =>
    row.reduce((sum, value, i) => sum + 255 * value * lighting[i]! * EIGENVALUES[i]!, 0),
  );
  return compose({ ...IDENTITY, offset: light }, map);
}

/** The map followed by normalisation: (value − mean) / deviation of each channel. */
export function normalized(
  map: ColourMap,
  { mean, deviation }: { readonly mean: readonly number[]; readonly deviation: readonly number[] },
): ColourMap {
  const matrix = deviation.flatMap((d, row) => [0, 1, 2].map((column) => (row === column ? 1 / d : 0)));
  return compose({ matrix, offset: mean.map((m, c) => -m / deviation[c]!) }, map);
}

function scaled(factor: number): ColourMap {
  return { matrix: IDENTITY.matrix.map((value) => factor * value), offset: [0, 0, 0] };
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function row(matrix: readonly number[], i: number): readonly number[] {
  return matrix.slice(3 * i, 3 * i + 3);
}

function apply({ matrix, offset }: ColourMap, colour: readonly number[]): number[] {
  return offset.map((value, i) => value + dot(row(matrix, i), colour));
}

/** `second` after `first`. */
function compose(second: ColourMap, first: ColourMap): ColourMap {
  const column = (j: number) => [0, 1, 2].map((i) => first.matrix[3 * i + j]!);
  const matrix = [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => dot(row(second.matrix, i), column(j))));
  return { matrix, offset: apply(second, first.offset) };
}
