/** Crops of an image in a ten-crop evaluation. */
export const CROPS = 10;

/** Where a square crop begins, in the image or in its mirror image. */
export interface Crop {
  readonly mirrored: boolean;
  readonly top: number;
  readonly left: number;
}

/**
 * The ten crops of `size` × `size` pixels: centre and four corners of the image, then of its mirror image, as in
 * Krizhevsky et al., 2012, and in the program that the authors trained with (facebook/fb.resnet.torch). A centre
 * that does not come out even lies one pixel lower and further right.
 */
export function tenCrops(height: number, width: number, size: number): Crop[] {
  const [bottom, right] = [height - size, width - size];
  return [false, true].flatMap((mirrored) => [
    { mirrored, top: Math.ceil(bottom / 2), left: Math.ceil(right / 2) },
    { mirrored, top: 0, left: 0 },
    { mirrored, top: 0, left: right },
    { mirrored, top: bottom, left: 0 },
    { mirrored, top: bottom, left: right },
  ]);
}
