import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { pack } from 'tar-stream';
import { bits, key } from '../../../src/util/random.js';
import { writeMat5Struct } from './mat5-writer.js';

/**
 * A miniature of ILSVRC2012 in the layout of the published archives, the same bytes every time: five of its classes,
 * eight training and two validation images of each. Among them are what the real one has: a CMYK image, a grey one,
 * a PNG with the name of a JPEG; and images smaller than what is cut out of them.
 */

/** In the order of ILSVRC2012_ID, which is not that of the WordNet ids. */
const CLASSES = [
  { wnid: 'n02119789', words: 'kit fox, Vulpes macrotis', label: 278 },
  { wnid: 'n02100735', words: 'English setter', label: 212 },
  { wnid: 'n01440764', words: 'tench, Tinca tinca', label: 0 },
  { wnid: 'n15075141', words: 'toilet tissue, toilet paper, bathroom tissue', label: 999 },
  { wnid: 'n03126707', words: 'crane', label: 517 },
] as const;

export const MINI = {
  classes: 5,
  train: 40,
  test: 10,
  labels: CLASSES.map(({ label }) => label).sort((a, b) => a - b),
};

export const CMYK_NAME = 'n02119789_3.JPEG';
export const PNG_NAME = 'n02100735_4.JPEG';
export const GREY_NAME = 'n01440764_5.JPEG';

interface MiniFile {
  readonly name: string;
  readonly content: Buffer;
}

/** Changes the content of an image file before it is packed. */
export type Damage = (file: MiniFile) => Buffer;

/** Cuts the end of some files off. */
export function broken(...names: string[]): Damage {
  return ({ name, content }) =>
    names.includes(name) ? content.subarray(0, Math.floor(0.4 * content.length)) : content;
}

const none: Damage = ({ content }) => content;

/** Training images by WordNet id, with their published kind of names. */
async function trainImages(damage: Damage): Promise<Map<string, MiniFile[]>> {
  const classes = new Map<string, MiniFile[]>();
  for (const [c, { wnid }] of CLASSES.entries()) {
    const files: MiniFile[] = [];
    for (let i = 0; i < 8; i++) {
      const name = `${wnid}_${i}.JPEG`;
      const content = await image(c, 10 * c + i, name);
      files.push({ name, content: damage({ name, content }) });
    }
    classes.set(wnid, files);
  }
  return classes;
}

async function testImages(damage: Damage): Promise<(MiniFile & { id: number })[]> {
  const files: (MiniFile & { id: number })[] = [];
  for (let n = 1; n <= MINI.test; n++) {
    const c = (3 * n) % CLASSES.length;
    const name = `ILSVRC2012_val_${`${n}`.padStart(8, '0')}.JPEG`;
    const content = await image(c, 100 + n, name);
    files.push({ name, content: damage({ name, content }), id: c + 1 });
  }
  return files;
}

/** Images that were encoded before, by name: they are the same every time. */
const encoded = new Map<string, Promise<Buffer>>();

function image(c: number, seed: number, name: string): Promise<Buffer> {
  const content = encoded.get(name) ?? encode(c, seed, name);
  encoded.set(name, content);
  return content;
}

/** Stripes and noise, whose colour and direction tell the class; every image has a size of its own. */
async function encode(c: number, seed: number, name: string): Promise<Buffer> {
  const k = key(seed, 99);
  const [width, height] = [70 + (bits(k, 0) % 200), 70 + (bits(k, 1) % 200)];
  const pixels = Buffer.alloc(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const wave = Math.sin(((c % 2 ? x : y) * (1 + c)) / 15 + seed);
      for (let channel = 0; channel < 3; channel++) {
        const tint = ((c + 1) * (channel + 2) * 53) % 200;
        const noise = bits(k, 2 + 3 * (y * width + x) + channel) % 24;
        pixels[3 * (y * width + x) + channel] = Math.max(0, Math.min(255, tint + 40 * wave + noise));
      }
    }
  }
  const image = sharp(pixels, { raw: { width, height, channels: 3 } });
  if (name === PNG_NAME) return image.png().toBuffer();
  if (name === CMYK_NAME) return image.toColourspace('cmyk').jpeg().toBuffer();
  if (name === GREY_NAME) return image.toColourspace('b-w').jpeg().toBuffer();
  return image.jpeg({ quality: 90 }).toBuffer();
}

async function tar(files: readonly MiniFile[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, content } of files) archive.entry({ name, mtime: new Date(0) }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function devkitFiles(damage: Damage): Promise<MiniFile[]> {
  const number = (value: number) => [value];
  const leaf = ({ wnid, words }: { wnid: string; words: string }, i: number) => ({
    ILSVRC2012_ID: number(i + 1),
    WNID: wnid,
    words,
    gloss: '',
    num_children: number(0),
    children: [] as number[],
    wordnet_height: number(0),
    num_train_images: number(8),
  });
  const inner = {
    ...leaf({ wnid: 'n00001740', words: 'entity' }, CLASSES.length),
    num_children: number(2),
    children: [1, 2],
  };
  const ids = (await testImages(none)).map(({ id }) => `${id}\n`).join('');
  const data = 'ILSVRC2012_devkit_t12/data';
  const files = [
    { name: 'ILSVRC2012_devkit_t12/readme.txt', content: Buffer.from('A miniature for tests.\n') },
    { name: `${data}/meta.mat`, content: writeMat5Struct('synsets', [...CLASSES.map(leaf), inner]) },
    { name: `${data}/ILSVRC2012_validation_ground_truth.txt`, content: Buffer.from(ids) },
  ];
  return files.map((file) => ({ name: file.name, content: damage(file) }));
}

/** Writes the three archives into a folder. */
export async function writeMiniArchives(folder: string, damage: Damage = none): Promise<void> {
  await mkdir(folder, { recursive: true });
  const classes: MiniFile[] = [];
  for (const [wnid, files] of await trainImages(damage))
    classes.push({ name: `${wnid}.tar`, content: await tar(files) });
  await writeFile(join(folder, 'ILSVRC2012_img_train.tar'), await tar(classes));
  await writeFile(join(folder, 'ILSVRC2012_img_val.tar'), await tar(await testImages(damage)));
  const devkit = gzipSync(await tar(await devkitFiles(damage)));
  await writeFile(join(folder, 'ILSVRC2012_devkit_t12.tar.gz'), devkit);
}

/**
 * Writes what the archives unpack to; the validation images in one folder, with the devkit, or in folders of classes.
 */
export async function writeMiniFolders(
  folder: string,
  test: 'flat' | 'classes',
  damage: Damage = none,
): Promise<void> {
  const put = async (path: string, content: Buffer) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  };
  for (const [wnid, files] of await trainImages(damage)) {
    for (const { name, content } of files) await put(`train/${wnid}/${name}`, content);
  }
  for (const { name, content, id } of await testImages(damage)) {
    await put(test === 'flat' ? `val/${name}` : `val/${CLASSES[id - 1]!.wnid}/${name}`, content);
  }
  if (test === 'classes') return;
  for (const { name, content } of await devkitFiles(damage)) await put(name, content);
}
