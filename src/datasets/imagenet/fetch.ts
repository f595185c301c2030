import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../util/errors.js';
import { makeFolders } from '../../util/files.js';
import type { ProgressBar } from '../../util/reporter.js';
import { fingerprint } from '../files/digest.js';
import { explainDiskErrors } from '../files/explain-disk-errors.js';
import { withFetchLock } from '../files/fetch-lock.js';
import { datasetFolder } from '../files/folder.js';
import { closeWorkspace, openWorkspace } from '../files/workspace.js';
import { FormatError } from '../formats/format-error.js';
import { interleaved } from '../interleaved.js';
import type { FetchOptions } from '../store.js';
import { ARCHIVES, imagenet, PAGE } from './definition.js';
import { readDevkit, type ValidationLabels } from './devkit.js';
import { readIndex, writeIndex } from './index-file.js';
import { findParts, type Part, type Parts } from './places.js';
import { type FoundImage, type ImagePlace, SplitIndex } from './split-index.js';
import { imagenetStatus, incompleteness, whatIsMissing } from './status.js';
import {
  byName,
  type ImageNetSurveyOptions,
  type SurveyedArchive,
  surveyClassFolders,
  surveyTestArchive,
  surveyTestFolder,
  surveyTrainArchive,
} from './survey.js';

/**
 * Makes the index of ImageNet from what a person has: the published archives, or the folders that they unpack to.
 * Nothing is unpacked or copied; archives are read once from beginning to end, for their MD5. Throws `UserError`.
 * @returns whether there was anything to do
 */
export async function fetchImageNet(options: FetchOptions): Promise<boolean> {
  const { folder, from, signal, reporter } = options;
  const own = datasetFolder(imagenet, folder);
  if (from === undefined) {
    if ((await imagenetStatus(folder)).present) return false;
    throw await needsArchives(own);
  }
  const parts = await explainDiskErrors(own, () => findParts(from));
  const onWait = (owner: string) =>
    reporter.line(`Process ${owner} is indexing ${imagenet.title} already; waiting for it.`);
  return explainDiskErrors(own, async () => {
    await makeFolders(own);
    return withFetchLock(own, onWait, signal, () => makeIndex(own, parts, options));
  });
}

async function needsArchives(own: string): Promise<UserError> {
  const index = await readIndex(own);
  const missing = index && (await whatIsMissing(index));
  if (missing) return missing;
  return new UserError(
    'data',
    'ImageNet cannot be downloaded by a program: it needs a registration',
    `Get the three archives of ILSVRC2012 from ${PAGE}, then: densenet data fetch imagenet --from DIR`,
  );
}

async function makeIndex(own: string, parts: Parts, options: FetchOptions): Promise<boolean> {
  const before = await readIndex(own);
  const workspace = await openWorkspace(own);
  try {
    const devkit = await openDevkit(parts.devkit, workspace, options);
    const train = await indexSplit('train', trainTask(parts), before?.train, options);
    const sameLabels = devkit?.md5 === before?.devkitMd5;
    const test = await indexSplit(
      'test',
      testTask(parts, devkit),
      sameLabels ? before?.test : undefined,
      options,
    );
    if (before && train === before.train && test === before.test) return false;
    await writeIndex(own, { train, test, devkitMd5: devkit?.md5 });
    const note = incompleteness({ train, test });
    if (note) options.reporter.line(note);
    return true;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new UserError(
      'data',
      `cannot index ImageNet: ${error.message}`,
      `Replace it with the published one from ${PAGE}`,
      { cause: error },
    );
  } finally {
    await closeWorkspace(own, workspace);
  }
}

interface Devkit {
  readonly labels: ValidationLabels;
  readonly md5: string | undefined;
}

async function openDevkit(
  part: Part | undefined,
  workspace: string,
  { reporter, signal }: FetchOptions,
): Promise<Devkit | undefined> {
  if (part === undefined) return undefined;
  const labels = await readDevkit(part.path, workspace);
  const { md5 } =
    part.kind === 'archive' ? await fingerprint(part.path, { md5: true, signal }) : { md5: undefined };
  if (md5 !== undefined && md5 !== ARCHIVES.devkit.md5) {
    reporter.line(`${part.path} is not the published one: its MD5 is ${md5}, not ${ARCHIVES.devkit.md5}.`);
  }
  return { labels, md5 };
}

/** What it takes to index one split. */
interface SplitTask {
  readonly part: Part;
  readonly classFolders: boolean;
  readonly order: (images: readonly FoundImage[]) => FoundImage[];
  readonly list: (path: string, options: ImageNetSurveyOptions) => Promise<readonly FoundImage[]>;
  readonly read: (path: string, options: ImageNetSurveyOptions) => Promise<SurveyedArchive>;
}

function trainTask({ train }: Parts): SplitTask {
  return {
    part: train,
    classFolders: true,
    // Their order in the archive or on the disk does not matter.
    order: (images) => interleaved(byName(images)),
    list: surveyClassFolders,
    read: surveyTrainArchive,
  };
}

function testTask({ test, testInClassFolders }: Parts, devkit: Devkit | undefined): SplitTask {
  const labels = devkit?.labels ?? new Uint16Array();
  return {
    part: test,
    classFolders: testInClassFolders,
    order: byName,
    list: (path, options) =>
      testInClassFolders ? surveyClassFolders(path, options) : surveyTestFolder(path, labels, options),
    read: (path, options) => surveyTestArchive(path, labels, options),
  };
}

/**
 * The index of one split. An archive that was indexed before, wherever it lay then, is not read again if its name,
 * size and time are the same. Where nothing changed, the result is `before` itself.
 */
async function indexSplit(
  split: 'train' | 'test',
  task: SplitTask,
  before: SplitIndex | undefined,
  options: FetchOptions,
): Promise<SplitIndex> {
  const { part } = task;
  if (part.kind === 'archive')
    return (before && reused(part, before)) ?? indexArchive(split, part, task, options);
  const bar = options.reporter.bar(part.path, imagenet[`${split}Count`], 'images');
  const found = await withBar(bar, (onProgress) =>
    task.list(part.path, { onProgress, signal: options.signal }),
  );
  const place: ImagePlace = { kind: 'folder', path: part.path, classFolders: task.classFolders };
  const now = SplitIndex.of(place, task.order(found));
  return before?.digest === now.digest && isDeepStrictEqual(before.place, place) ? before : now;
}

type ArchivePart = Extract<Part, { kind: 'archive' }>;

function reused(part: ArchivePart, before: SplitIndex): SplitIndex | undefined {
  const { place, columns, digest } = before;
  if (place.kind !== 'archive' || basename(place.path) !== basename(part.path)) return undefined;
  if (place.bytes !== part.bytes || place.modified !== part.modified) return undefined;
  if (place.path === part.path) return before;
  return new SplitIndex({ ...place, path: part.path }, columns, digest);
}

async function indexArchive(
  split: 'train' | 'test',
  part: ArchivePart,
  task: SplitTask,
  { reporter, signal }: FetchOptions,
): Promise<SplitIndex> {
  const bar = reporter.bar(basename(part.path), part.bytes, 'bytes');
  const { images, md5 } = await withBar(bar, (onProgress) => task.read(part.path, { onProgress, signal }));
  const published = ARCHIVES[split];
  if (part.bytes === published.bytes && md5 !== published.md5) {
    throw new FormatError(part.path, `has MD5 ${md5}, expected ${published.md5}; it is damaged`);
  }
  return SplitIndex.of({ ...part, md5 }, task.order(images));
}

async function withBar<T>(
  bar: ProgressBar,
  work: (onProgress: (amount: number) => void) => Promise<T>,
): Promise<T> {
  let done = 0;
  try {
    return await work((amount) => {
      done += amount;
      bar.update(done);
    });
  } finally {
    bar.finish();
  }
}
