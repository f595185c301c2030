import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { systemCode, UserError } from '../../util/errors.js';
import { FILES_AT_ONCE, fileSize } from '../../util/read-files.js';
import { ByteSource } from '../formats/byte-source.js';
import { FormatError } from '../formats/format-error.js';
import { type TarEntry, tarEntries } from '../formats/tar.js';
import { imagenetLabel } from './classes.js';
import { imagenet } from './definition.js';
import type { ValidationLabels } from './devkit.js';
import { type FoundImage, MOST_IMAGE_BYTES } from './split-index.js';

export interface ImageNetSurveyOptions {
  /** Hears how many bytes of an archive, or how many files of a folder, were done since the last call. */
  readonly onProgress: (amount: number) => void;
  readonly signal?: AbortSignal;
}

export interface SurveyedArchive {
  readonly images: readonly FoundImage[];
  readonly md5: string;
}

/** Gives the label of a validation image by its name. */
type LabelOf = (name: string) => number;

const IMAGE = /^[^.].*\.jpe?g$/i;
const WNID = /^n\d{8}$/;

function checkSize(path: string, name: string, bytes: number): void {
  if (bytes > MOST_IMAGE_BYTES)
    throw new FormatError(path, `holds ${name} of ${bytes} bytes, which is no photograph`);
}

/** Reads the training archive, which holds one archive for each class, from beginning to end. Throws `FormatError`. */
export async function surveyTrainArchive(path: string, options: ImageNetSurveyOptions) {
  return surveyArchive(path, imagenet.trainCount, options, async function* (entry, source) {
    const wnid = basename(entry.name, '.tar');
    if (!entry.isFile || !entry.name.endsWith('.tar') || !WNID.test(wnid)) return;
    const label = labelOfClass(path, wnid);
    for await (const image of tarEntries(source, entry.offset + entry.bytes)) {
      if (isImage(image)) yield found(image, label);
    }
  });
}

/** Reads the validation archive from beginning to end. Throws `FormatError`. */
export async function surveyTestArchive(
  path: string,
  labels: ValidationLabels,
  options: ImageNetSurveyOptions,
) {
  const labelOf = numberedLabels(path, labels);
  return surveyArchive(path, imagenet.testCount, options, async function* (entry) {
    if (isImage(entry)) yield found(entry, labelOf(basename(entry.name)));
  });
}

function isImage({ name, isFile }: TarEntry): boolean {
  return isFile && IMAGE.test(basename(name));
}

function found({ name, bytes, offset }: TarEntry, label: number): FoundImage {
  return { name: basename(name), label, bytes, offset };
}

type Member = (entry: TarEntry, source: ByteSource) => AsyncGenerator<FoundImage>;

/** @param most images that there may be */
async function surveyArchive(
  path: string,
  most: number,
  { onProgress, signal }: ImageNetSurveyOptions,
  imagesOf: Member,
): Promise<SurveyedArchive> {
  const size = await fileSize(path);
  const md5 = createHash('md5');
  const onChunk = (chunk: Buffer) => {
    signal?.throwIfAborted();
    md5.update(chunk);
    onProgress(chunk.length);
  };
  const source = new ByteSource(path, 'none', { most: size, onChunk });
  const images: FoundImage[] = [];
  try {
    for await (const entry of tarEntries(source, size)) {
      for await (const image of imagesOf(entry, source)) {
        checkSize(path, image.name, image.bytes);
        if (images.push(image) > most) throw new FormatError(path, `holds more than ${most} images`);
      }
    }
    await source.drain();
  } finally {
    await source.close();
  }
  if (images.length === 0) throw new FormatError(path, 'holds no images laid out as in ILSVRC2012');
  return { images, md5: md5.digest('hex') };
}

function labelOfClass(path: string, wnid: string): number {
  const label = imagenetLabel(wnid);
  if (label === undefined)
    throw new FormatError(path, `holds a class ${wnid}, which ILSVRC2012 does not have`);
  return label;
}

/** `ILSVRC2012_val_00000012.JPEG` is the 12th line of the ground truth. */
function numberedLabels(path: string, labels: ValidationLabels): LabelOf {
  return (name) => {
    const label = labels[Number(/(\d{8})\.jpe?g$/i.exec(name)?.[1]) - 1];
    if (label !== undefined) return label;
    throw new FormatError(path, `holds ${name}, of which the development kit says nothing`);
  };
}

/** Lists a folder with one folder for each class, `nXXXXXXXX/*.JPEG`. Throws `FormatError`. */
export async function surveyClassFolders(
  path: string,
  options: ImageNetSurveyOptions,
): Promise<FoundImage[]> {
  const images: FoundImage[] = [];
  for (const wnid of await classFolders(path)) {
    const label = labelOfClass(path, wnid);
    for (const image of await surveyFiles(join(path, wnid), () => label, options)) images.push(image);
  }
  if (images.length === 0) throw new FormatError(path, 'holds no images');
  return images;
}

/** Lists a folder with the validation images, `ILSVRC2012_val_00000001.JPEG` and so on. Throws `FormatError`. */
export async function surveyTestFolder(
  path: string,
  labels: ValidationLabels,
  options: ImageNetSurveyOptions,
) {
  const images = await surveyFiles(path, numberedLabels(path, labels), options);
  if (images.length === 0) throw new FormatError(path, 'holds no images');
  return images;
}

/** The folders in it that are named by WordNet ids. */
export async function classFolders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  return entries.flatMap((entry) => (WNID.test(entry.name) && !entry.isFile() ? [entry.name] : [])).sort();
}

async function surveyFiles(
  path: string,
  labelOf: LabelOf,
  options: ImageNetSurveyOptions,
): Promise<FoundImage[]> {
  const names = (await readdir(path)).filter((name) => IMAGE.test(name));
  const images: FoundImage[] = [];
  for (let i = 0; i < names.length; i += FILES_AT_ONCE) {
    options.signal?.throwIfAborted();
    const some = names.slice(i, i + FILES_AT_ONCE);
    const found = await Promise.all(some.map((name) => statImage(join(path, name))));
    for (const [k, name] of some.entries()) {
      const file = found[k]!;
      if (!file.isFile()) continue;
      checkSize(path, name, file.size);
      images.push({ name, label: labelOf(name), bytes: file.size, offset: 0 });
    }
    options.onProgress(some.length);
  }
  return images;
}

/** Throws a UserError (data) for a link to nothing, such as data sets under git-annex or DVC have. */
async function statImage(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    const remedy = 'Bring that file here (git annex get, dvc pull), or remove the link.';
    throw new UserError('data', `${path} is a link to a file that is not there`, remedy, { cause: error });
  }
}

/** By name: validation images are numbered. */
export function byName(images: readonly FoundImage[]): FoundImage[] {
  return images.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
