import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

/** A plain image of one colour, as a file of the format that its name says. */
export async function picture(path: string, background: string, width = 32, height = 32): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await sharp({ create: { width, height, channels: 3, background } }).toFile(path);
}

/** A folder of 2 classes, `a` in shades of red and `b` in shades of blue: 3 training and 2 test images of each. */
export async function twoClasses(folder: string): Promise<void> {
  for (const [split, first, end] of [
    ['train', 0, 3],
    ['test', 3, 5],
  ] as const) {
    for (let i = first; i < end; i++) {
      await picture(join(folder, split, 'a', `${i}.png`), `rgb(${200 + 10 * i}, 0, 0)`);
      await picture(join(folder, split, 'b', `${i}.png`), `rgb(0, 0, ${200 + 10 * i})`);
    }
  }
}

export async function notAnImage(path: string): Promise<void> {
  await writeFile(path, 'not an image');
}
