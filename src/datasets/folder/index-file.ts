import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { diskProblem } from '../../util/disk-errors.js';
import { makeFolder, writeFileAtomic } from '../../util/files.js';
import { parseJson } from '../../util/json.js';
import { readSmallFile } from '../../util/read-files.js';
import { FOLDER } from '../dataset.js';

/** What is known of an image file, for as long as size and time stay the same. */
const knownFile = z.object({
  bytes: z.number(),
  /** When it was changed, in milliseconds since 1970. */
  changed: z.number(),
  sha256: z.string(),
  /** Why it cannot be read. */
  problem: z.string().optional(),
});
export type KnownFile = z.infer<typeof knownFile>;

const channels = z.array(z.number()).length(3);

const folderIndex = z.object({
  /** The folder. */
  path: z.string(),
  /** By path. */
  files: z.record(z.string(), knownFile),
  /** Mean and standard deviation by size of the images and digest of the training images. */
  normalization: z.record(z.string(), z.object({ mean: channels, deviation: channels })),
});

/** What reading the images of a folder has shown, kept so that they need not be read again. It holds no image. */
export type FolderIndex = z.infer<typeof folderIndex>;

/** A million files need 200 MB. */
const MOST_BYTES = 2 ** 29;

function indexFolder(dataFolder: string): string {
  return join(dataFolder, FOLDER);
}

function indexFile(dataFolder: string, path: string): string {
  const name = createHash('sha256').update(path).digest('hex').slice(0, 16);
  return join(indexFolder(dataFolder), `${name}.json`);
}

/** The index of a folder; an empty one where there is none, or none that can be read. */
export async function readFolderIndex(dataFolder: string, path: string): Promise<FolderIndex> {
  const found = await readIndexFile(indexFile(dataFolder, path));
  return found?.path === path ? found : { path, files: {}, normalization: {} };
}

async function readIndexFile(file: string): Promise<FolderIndex | undefined> {
  try {
    return folderIndex.safeParse(parseJson((await readSmallFile(file, MOST_BYTES)).toString('utf8'))).data;
  } catch (error) {
    if (diskProblem(error)) return undefined;
    throw error;
  }
}

/** Throws a UserError (data) where the disk refuses it. */
export async function writeFolderIndex(dataFolder: string, index: FolderIndex): Promise<void> {
  await makeFolder(indexFolder(dataFolder), 'choose another folder with --data DIR or DENSENET_DATA');
  await writeFileAtomic(indexFile(dataFolder, index.path), JSON.stringify(index));
}

/** All folders whose images were read, by path. */
export async function readFolderIndexes(dataFolder: string): Promise<FolderIndex[]> {
  const names = await readdir(indexFolder(dataFolder)).catch(() => []);
  const files = names.filter((name) => name.endsWith('.json'));
  const indexes = await Promise.all(files.map((name) => readIndexFile(join(indexFolder(dataFolder), name))));
  return indexes.filter((index) => index !== undefined).sort((a, b) => (a.path < b.path ? -1 : 1));
}
