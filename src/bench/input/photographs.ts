import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetDefinition, ImageFiles } from '../../datasets/dataset.js';
import { imagenet } from '../../datasets/imagenet/definition.js';
import { imagenetStore } from '../../datasets/imagenet/store.js';
import { bits, key } from '../../util/random.js';
import { temporaryFolder } from '../../util/temporary-folder.js';

export interface Photographs {
  readonly images: ImageFiles;
  readonly definition: DatasetDefinition;
  /** For people: what they are. */
  readonly description: string;
  close(): Promise<void>;
}

/** Training images of ImageNet where its index is, else synthetic ones of the usual size and weight. */
export async function openPhotographs(indexed: boolean, folder: string): Promise<Photographs> {
  if (!indexed) return drawPhotographs();
  const { train, note } = await imagenetStore.load(folder);
  const description = `ImageNet's training images${note ? ' (not all of ILSVRC2012)' : ''}`;
  return { images: train, definition: imagenet, description, close: async () => undefined };
}

/** The mean size of ImageNet's training images is about 110 kB, the most frequent shape 500×375. */
const [WIDTH, HEIGHT] = [500, 375];
const QUALITY = 96;
const DRAWN = 48;

async function drawPhotographs(): Promise<Photographs> {
  const folder = await temporaryFolder('photographs');
  const { default: sharp } = await import('sharp');
  const files: { path: string; start: number; bytes: number }[] = [];
  for (let n = 0; n < DRAWN; n++) {
    const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const;
    const content = await sharp(draw(n), { raw }).jpeg({ quality: QUALITY }).toBuffer();
    const path = join(folder, `${n}.jpg`);
    await writeFile(path, content);
    files.push({ path, start: 0, bytes: content.length });
  }
  const kilobytes = files.reduce((sum, { bytes }) => sum + bytes, 0) / DRAWN / 1000;
  return {
    images: {
      count: DRAWN,
      labels: new Uint16Array(DRAWN),
      locate: (index) => files[index]!,
      name: async (index) => files[index]!.path,
    },
    definition: imagenet,
    description: `${DRAWN} synthetic images of ${WIDTH}×${HEIGHT}, ${kilobytes.toFixed(0)} kB each`,
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Shapes, shades and noise, [H, W, 3]. */
function draw(seed: number): Buffer {
  const k = key(seed, 0);
  const pixels = Buffer.alloc(3 * WIDTH * HEIGHT);
  for (let i = 0; i < pixels.length; i++) {
    const [x, y, c] = [Math.floor(i / 3) % WIDTH, Math.floor(i / 3 / WIDTH), i % 3];
    const shade = 55 * Math.sin(x / (31 + seed) + c) + 45 * Math.cos(y / (17 + (seed % 9)) - c);
    const edge = (Math.floor(x / 61) + Math.floor(y / 47) + seed) % 3 === 0 ? 30 : -10;
    pixels[i] = Math.max(0, Math.min(255, 120 + shade + edge + (bits(k, i) % 32)));
  }
  return pixels;
}
