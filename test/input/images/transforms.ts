/**
 * The authors' transforms of photographs, step by step in double precision: the definition of correct. Images are
 * [H][W][3] on the scale 0–1. After transforms.lua of facebook/fb.resnet.torch, as the paper's code uses it.
 */
export type Image = number[][][];

export function map(image: Image, change: (pixel: readonly number[]) => number[]): Image {
  return image.map((row) => row.map(change));
}

const grey = ([r = 0, g = 0, b = 0]: readonly number[]) => 0.299 * r + 0.587 * g + 0.114 * b;

export function brightness(image: Image, factor: number): Image {
  return map(image, (pixel) => pixel.map((value) => factor * value));
}

export function contrast(image: Image, factor: number): Image {
  const all = image.flat().map(grey);
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  return map(image, (pixel) => pixel.map((value) => factor * value + (1 - factor) * mean));
}

export function saturation(image: Image, factor: number): Image {
  return map(image, (pixel) => pixel.map((value) => factor * value + (1 - factor) * grey(pixel)));
}

const EIGENVALUES = [0.2175, 0.0188, 0.0045];
const EIGENVECTORS = [
  [-0.5675, 0.7192, 0.4009],
  [-0.5808, -0.0045, -0.814],
  [-0.5836, -0.6948, 0.4203],
];

/** Adds the principal components of ImageNet's colours with these weights. */
export function lighting(image: Image, weights: readonly number[]): Image {
  const light = EIGENVECTORS.map((vector) =>
    vector.reduce((sum, value, i) => sum + value * weights[i]! * EIGENVALUES[i]!, 0),
  );
  return map(image, (pixel) => pixel.map((value, c) => value + light[c]!));
}

export function normalize(image: Image): Image {
  const mean = [0.485, 0.456, 0.406];
  const deviation = [0.229, 0.224, 0.225];
  return map(image, (pixel) => pixel.map((value, c) => (value - mean[c]!) / deviation[c]!));
}

export function mirror(image: Image): Image {
  return image.map((row) => row.toReversed());
}

export function crop(image: Image, left: number, top: number, side: number): Image {
  return image.slice(top, top + side).map((row) => row.slice(left, left + side));
}

/** [3, H, W], one channel after another. */
export function planes(image: Image): number[] {
  return [0, 1, 2].flatMap((c) => image.flatMap((row) => row.map((pixel) => pixel[c]!)));
}

export function fromBytes(data: ArrayLike<number>, width: number, height: number): Image {
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => [0, 1, 2].map((c) => data[3 * (y * width + x) + c]! / 255)),
  );
}
