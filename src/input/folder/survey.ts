import { createHash } from 'node:crypto';
import type { FolderChoice, FolderContents } from '../../datasets/folder/definition.js';
import { FolderFiles } from '../../datasets/folder/folder-files.js';
import { type FolderIndex, readFolderIndex, writeFolderIndex } from '../../datasets/folder/index-file.js';
import { type FolderImage, listFolder } from '../../datasets/folder/listing.js';
import { UserError } from '../../util/errors.js';
import { formatCount } from '../../util/format.js';
import type { Reporter } from '../../util/reporter.js';
import { firstNames } from '../../util/shorten.js';
import type { Seen } from '../images/worker.js';
import { lookAt } from './look-at.js';

export interface SurveyOptions {
  /** The folder of all datasets, where it is kept what was found. */
  readonly dataFolder: string;
  /** Threads that decode images; one per core when undefined. */
  readonly workers?: number | undefined;
  /** Leave out images that cannot be read, instead of stopping. */
  readonly skipBadImages?: boolean | undefined;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal | undefined;
}

/** What a folder holds. */
export interface FolderSurvey {
  readonly contents: FolderContents;
  readonly train: FolderFiles;
  readonly test: FolderFiles;
  /** SHA-256 of each image's content, by path. */
  readonly sha256: ReadonlyMap<string, string>;
  /** Paths of the images that cannot be read and were left out. */
  readonly skipped: readonly string[];
  /** What a person should know. */
  readonly notes: readonly string[];
}

/**
 * Looks through a folder of images before anything is made of them: reads and decodes what it has not read before, and
 * keeps what it found. Throws a UserError (data) where the folder is not laid out as it must be, an image cannot be
 * read, or an image is both for training and for the test.
 */
export async function surveyFolder(choice: FolderChoice, options: SurveyOptions): Promise<FolderSurvey> {
  const listing = await listFolder(choice);
  const index = await readFolderIndex(options.dataFolder, choice.path);
  const all = [...listing.train, ...listing.test];
  const reader = new FolderReader(choice, index, options);
  await reader.read(all);
  const bad = all.filter(({ path }) => index.files[path]?.problem !== undefined);
  const good = (images: readonly FolderImage[]) =>
    images.filter(({ path }) => index.files[path]?.problem === undefined);
  const left = refuseBad(choice, index, bad, all.length, options);
  const train = new FolderFiles(good(listing.train));
  const test = new FolderFiles(good(listing.test));
  refuseUnreadableClasses(choice, train, test);
  const sha256 = new Map(all.map(({ path }) => [path, index.files[path]!.sha256]));
  const twins = refuseTwins(choice, train, test, sha256);
  const { mean, deviation } = await reader.normalization(train.files);
  const digest = digestOf([
    ...lines('train', choice, listing.train, sha256),
    ...lines('test', choice, listing.test, sha256),
  ]);
  return {
    contents: { digest, train: train.count, test: test.count, mean, deviation },
    train,
    test,
    sha256,
    skipped: bad.map(({ path }) => path),
    notes: [...listing.notes, ...left, ...twins],
  };
}

/** An image that could not be read is tried again: its permissions, or the disk, may be better now. */
function known({ files }: FolderIndex, { path, bytes, changed }: FolderImage): boolean {
  const file = files[path];
  return file?.problem === undefined && file?.bytes === bytes && file.changed === changed;
}

function* lines(
  split: 'train' | 'test',
  { classes }: FolderChoice,
  images: readonly FolderImage[],
  sha256: ReadonlyMap<string, string>,
): Generator<string> {
  for (const { label, name, path } of images) {
    yield JSON.stringify([split, label, classes[label], name, sha256.get(path)]);
  }
}

function digestOf(texts: Iterable<string>): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${text}\n`);
  return hash.digest('hex');
}

/** Reads images, and keeps what it found. */
class FolderReader {
  /** Of the images that were read by now, by path. */
  private readonly sums = new Map<string, readonly number[]>();

  constructor(
    private readonly choice: FolderChoice,
    private readonly index: FolderIndex,
    private readonly options: SurveyOptions,
  ) {}

  /** Reads those that are not known, and forgets those that are not there any more. */
  async read(images: readonly FolderImage[]): Promise<void> {
    const { index } = this;
    const unread = images.filter((image) => !known(index, image));
    const before = images.filter(({ path }) => index.files[path] !== undefined);
    if (unread.length === 0 && before.length === Object.keys(index.files).length) return;
    index.files = Object.fromEntries(before.map(({ path }) => [path, index.files[path]!]));
    try {
      await lookAt(unread, this.looking, ({ path, bytes, changed }, { sums, ...found }) => {
        index.files[path] = { bytes, changed, ...found };
        this.sums.set(path, sums);
      });
    } finally {
      // Also what was read before Ctrl-C.
      await this.keep();
    }
  }

  /** Mean and standard deviation of each channel over images, kept by their digest. */
  async normalization(images: readonly FolderImage[]): Promise<{ mean: number[]; deviation: number[] }> {
    const { index, choice } = this;
    const key = `${choice.size} ${digestOf(images.map(({ path }) => index.files[path]!.sha256))}`;
    const before = index.normalization[key];
    if (before) return before;
    const unread = images.filter(({ path }) => !this.sums.has(path));
    await lookAt(unread, this.looking, ({ path }, seen) => {
      checkSame(path, seen, index.files[path]!.sha256);
      this.sums.set(path, seen.sums);
    });
    // Whole numbers below 2⁵³: in any order they come to the same.
    const total = (i: number) => images.reduce((sum, { path }) => sum + this.sums.get(path)![i]!, 0);
    const pixels = images.length * choice.size ** 2;
    const mean = [0, 1, 2].map((c) => total(c) / pixels);
    const deviation = mean.map((m, c) => Math.sqrt(Math.max(0, total(3 + c) / pixels - m ** 2)) || 1);
    index.normalization[key] = { mean, deviation };
    await this.keep();
    return { mean, deviation };
  }

  private get looking() {
    return { ...this.options, what: 'reading', side: this.choice.size };
  }

  /** Without it the next command reads the images again, and comes to the same. */
  private async keep(): Promise<void> {
    try {
      await writeFolderIndex(this.options.dataFolder, this.index);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.options.reporter.warn(`${error.message}; the images will be read again the next time`);
    }
  }
}

/** Throws a UserError (data) where an image that was read before is another now, or cannot be decoded. */
export function checkSame(path: string, { sha256, problem }: Seen, before: string | undefined): void {
  if (sha256 === before && problem === undefined) return;
  throw new UserError(
    'data',
    sha256 === before
      ? `${path} could be decoded before, and cannot be now: ${problem}`
      : `${path} has other bytes than when it was last read`,
    'Look for what changes it, and run the same command again.',
  );
}

/** Returns what to say where they are left out. */
function refuseBad(
  { path }: FolderChoice,
  { files }: FolderIndex,
  bad: readonly FolderImage[],
  all: number,
  { skipBadImages }: SurveyOptions,
): string[] {
  if (bad.length === 0) return [];
  const named = firstNames(bad.map((image) => `${image.path} (${files[image.path]!.problem})`));
  const problem = `${formatCount(bad.length)} of ${formatCount(all)} images in ${path} cannot be read: ${named}`;
  if (skipBadImages) return [`Left out: ${problem}`];
  throw new UserError('data', problem, 'Replace or remove them, or leave them out: --skip-bad-images');
}

function refuseUnreadableClasses(
  { classes, path }: FolderChoice,
  train: FolderFiles,
  test: FolderFiles,
): void {
  const readable = new Set(train.labels);
  const lost = classes.filter((_, label) => !readable.has(label));
  if (lost.length === 0 && test.count > 0) return;
  throw new UserError(
    'data',
    lost.length > 0
      ? `no training image of ${lost.length === 1 ? 'one class' : `${lost.length} classes`} in ${path} can be read: ${firstNames(lost)}`
      : `not one test image in ${path} can be read`,
    'Replace them.',
  );
}

/** An image that was trained on is no test. Returns what to say where they are allowed. */
function refuseTwins(
  { path, allowDuplicates }: FolderChoice,
  train: FolderFiles,
  test: FolderFiles,
  sha256: ReadonlyMap<string, string>,
): string[] {
  const trained = new Map(train.files.map((image) => [sha256.get(image.path), image.path]));
  const twins = test.files.flatMap((image) => {
    const twin = trained.get(sha256.get(image.path));
    return twin === undefined ? [] : [`${image.path} is ${twin}`];
  });
  if (twins.length === 0) return [];
  const problem = `${formatCount(twins.length)} of ${formatCount(test.count)} test images in ${path} ${twins.length === 1 ? 'is a training image' : 'are training images'} too: ${firstNames(twins)}`;
  if (allowDuplicates) return [`${problem}.`];
  throw new UserError(
    'data',
    problem,
    'Remove them on one side, or set dataset.allowDuplicates to true, knowing that the test error is then too low.',
  );
}
