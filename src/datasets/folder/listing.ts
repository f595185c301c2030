import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError } from '../../util/disk-errors.js';
import { systemCode, UserError } from '../../util/errors.js';
import { statOf } from '../../util/files.js';
import { key, PURPOSE, permutation } from '../../util/random.js';
import { FILES_AT_ONCE } from '../../util/read-files.js';
import { firstNames } from '../../util/shorten.js';
import { interleaved } from '../interleaved.js';
import type { FolderChoice, FolderOptions } from './definition.js';
import { byBytes, imageFiles, type NamedFile } from './image-files.js';

/** An image file of a folder. */
export interface FolderImage {
  /** Below the folder of its class, with `/`, in Unicode's composed form: the same on every file system. */
  readonly name: string;
  readonly path: string;
  readonly label: number;
  readonly bytes: number;
  /** When it was changed, in milliseconds since 1970. */
  readonly changed: number;
}

/** The images of a folder, by split; in each the first of every class, then the second of every class, and so on. */
export interface FolderListing {
  readonly train: readonly FolderImage[];
  readonly test: readonly FolderImage[];
  /** What a person should know: files that are no images, folders that are not used. */
  readonly notes: readonly string[];
}

const LAYOUT =
  'Put the images into train/<class>/ and test/<class>/, or into <class>/ and set dataset.testFraction.';

/** Where the images of each split are; the folders of the classes lie in it. */
interface Roots {
  readonly train: string;
  /** Undefined where the test images are drawn from the others. */
  readonly test: string | undefined;
  readonly notes: readonly string[];
}

/** Names of the folders of training images, in the order of their bytes: the label is the rank. */
export async function folderClasses(options: FolderOptions): Promise<string[]> {
  const { train } = await findRoots(options);
  return (await subfolders(train)).map(({ name }) => name);
}

/**
 * Lists the images, without reading them. Throws a UserError (data) where the folder is not laid out as one folder for
 * each class, two or more, each with images.
 */
export async function listFolder(choice: FolderChoice): Promise<FolderListing> {
  const { classes, testFraction, splitSeed } = choice;
  const roots = await findRoots(choice);
  const train = await listSplit(roots.train, classes);
  checkClasses(train, roots.train, classes);
  const notes = [...roots.notes, ...notesOn(train)];
  if (roots.test !== undefined) {
    const test = await listSplit(roots.test, classes);
    checkTestClasses(test, roots.test, roots.train);
    return {
      train: interleaved(train.images),
      test: interleaved(test.images),
      notes: [...notes, ...notesOn(test), ...notesOnTestClasses(test, roots.test, classes)],
    };
  }
  const parts = drawTest(train.images, classes, testFraction!, splitSeed);
  return { train: interleaved(parts.train), test: interleaved(parts.test), notes };
}

async function findRoots({ path = '', testFraction }: FolderOptions): Promise<Roots> {
  const names = (await subfolders(path)).map(({ name }) => name);
  const has = (name: string) => names.includes(name);
  const tests = ['test', 'val'].filter(has);
  if (!has('train')) {
    if (testFraction !== undefined) return { train: path, test: undefined, notes: [] };
    throw new UserError('data', `${path} has no folder train`, LAYOUT);
  }
  const [test, other] = tests;
  if (testFraction === undefined && test === undefined) {
    throw new UserError('data', `${path} has a folder train, but neither test nor val`, LAYOUT);
  }
  if (testFraction !== undefined && test !== undefined) {
    throw new UserError(
      'usage',
      `dataset.testFraction is ${testFraction}, but ${path} has a folder ${test} of test images`,
      'Leave dataset.testFraction out, or name a folder without test images.',
    );
  }
  return {
    train: join(path, 'train'),
    test: test && join(path, test),
    notes:
      other === undefined ? [] : [`${join(path, other)} is not used: the test images are those in ${test}.`],
  };
}

/** The folders in a folder, through links, in the order of their names' bytes; hidden ones are left out. */
async function subfolders(path: string): Promise<NamedFile[]> {
  const found: NamedFile[] = [];
  for (const name of await visibleNames(path)) {
    if ((await statOf(join(path, name)))?.isDirectory())
      found.push({ name: name.normalize(), path: join(path, name) });
  }
  return inOrder(found);
}

async function visibleNames(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).filter((name) => !name.startsWith('.'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') {
      throw new UserError(
        'data',
        `there is no folder ${path}`,
        'Check dataset.path. To resume a run whose folder was moved: --resume RUN --set dataset.path=DIR',
        { cause: error },
      );
    }
    throw diskError(error, `cannot list ${path}`, 'check dataset.path');
  }
}

/** Sorts by the bytes of the names. Throws a UserError (data) where two are the same text in two Unicode forms. */
function inOrder(files: readonly NamedFile[]): NamedFile[] {
  const sorted = byBytes(files);
  const twin = sorted.find(({ name }, i) => name === sorted[i + 1]?.name);
  if (twin === undefined) return sorted;
  throw new UserError(
    'data',
    `${twin.path} is there twice, under names that differ only in their Unicode form`,
    'Rename or remove one of them.',
  );
}

interface SplitListing {
  readonly images: readonly FolderImage[];
  /** Folders that are not among the classes. */
  readonly unknown: readonly string[];
  /** Files that are no images by their names. */
  readonly others: readonly string[];
}

async function listSplit(root: string, classes: readonly string[]): Promise<SplitListing> {
  const images: FolderImage[] = [];
  const unknown: string[] = [];
  const others: string[] = [];
  const known = classes.map((name) => name.normalize());
  for (const folder of await subfolders(root)) {
    const label = known.indexOf(folder.name);
    if (label < 0) unknown.push(folder.name);
    else await listClass(folder.path, label, images, others);
  }
  return { images, unknown, others };
}

async function listClass(
  folder: string,
  label: number,
  images: FolderImage[],
  others: string[],
): Promise<void> {
  const found = await imageFiles(folder, 'check dataset.path');
  others.push(...found.others.map(({ path }) => path));
  const chosen = inOrder(found.images);
  for (let i = 0; i < chosen.length; i += FILES_AT_ONCE) {
    const sized = await Promise.all(chosen.slice(i, i + FILES_AT_ONCE).map(withSize));
    for (const { name, path, bytes, changed } of sized) images.push({ name, path, label, bytes, changed });
  }
}

/** A link to nothing has no bytes: it is an image that cannot be read. */
async function withSize({ name, path }: NamedFile) {
  const found = await stat(path).catch(() => undefined);
  return { name, path, bytes: found?.size ?? 0, changed: found?.mtimeMs ?? 0 };
}

function checkClasses({ images, unknown }: SplitListing, root: string, classes: readonly string[]): void {
  if (unknown.length > 0) {
    throw new UserError(
      'data',
      `${root} holds ${count(unknown, 'folder')} that ${unknown.length === 1 ? 'is' : 'are'} not in dataset.classes: ${firstNames(unknown)}`,
      'Add them to dataset.classes, leave dataset.classes out, or move them away.',
    );
  }
  if (classes.length < 2) {
    throw new UserError(
      'data',
      classes.length === 0
        ? `${root} holds no folders of classes`
        : `${root} holds one class only: ${classes[0]}`,
      `There must be two classes or more. ${LAYOUT}`,
    );
  }
  const empty = withoutImages(images, classes);
  if (empty.length > 0) {
    throw new UserError(
      'data',
      `${count(empty, 'class', 'classes')} in ${root} ${empty.length === 1 ? 'has' : 'have'} no images: ${firstNames(empty)}`,
      'Put images into their folders, or remove these.',
    );
  }
}

function checkTestClasses({ images, unknown }: SplitListing, root: string, trainRoot: string): void {
  if (unknown.length > 0) {
    throw new UserError(
      'data',
      `${count(unknown, 'class', 'classes')} in ${root} ${unknown.length === 1 ? 'is' : 'are'} not in ${trainRoot}: ${firstNames(unknown)}`,
      'Training must have every class of the tests: add their training images, or move them away.',
    );
  }
  if (images.length === 0) throw new UserError('data', `${root} holds no images`, LAYOUT);
}

function withoutImages(images: readonly FolderImage[], classes: readonly string[]): string[] {
  const labels = new Set(images.map(({ label }) => label));
  return classes.filter((_, label) => !labels.has(label));
}

function notesOn({ others }: SplitListing): string[] {
  if (others.length === 0) return [];
  return [
    `Left out ${count(others, 'file')} that by ${others.length === 1 ? 'its name is' : 'their names are'} no image: ${firstNames(others)}`,
  ];
}

function notesOnTestClasses({ images }: SplitListing, root: string, classes: readonly string[]): string[] {
  const empty = withoutImages(images, classes);
  if (empty.length === 0) return [];
  return [
    `${count(empty, 'class', 'classes')} ${empty.length === 1 ? 'has' : 'have'} no test images in ${root}: ${firstNames(empty)}`,
  ];
}

function count(things: readonly unknown[], one: string, many = `${one}s`): string {
  return `${things.length} ${things.length === 1 ? one : many}`;
}

/**
 * Draws the test images of each class: a pure function of the seed and of the names. Of every class there is at least
 * one on each side.
 */
function drawTest(
  images: readonly FolderImage[],
  classes: readonly string[],
  fraction: number,
  seed: number,
): { train: FolderImage[]; test: FolderImage[] } {
  const parts = { train: [] as FolderImage[], test: [] as FolderImage[] };
  for (const [label, name] of classes.entries()) {
    const own = images.filter((image) => image.label === label);
    if (own.length < 2) {
      throw new UserError(
        'data',
        `the class ${name} has one image only, which cannot be both for training and for the test`,
        'Put more images into its folder, or remove it.',
      );
    }
    const drawn = Math.min(own.length - 1, Math.max(1, Math.round(fraction * own.length)));
    const chosen = new Set(permutation(key(seed, PURPOSE.testSplit, label), own.length).subarray(0, drawn));
    for (const [i, image] of own.entries()) parts[chosen.has(i) ? 'test' : 'train'].push(image);
  }
  return parts;
}
