import { join, resolve } from 'node:path';
import { UserError } from '../../util/errors.js';
import { statOf } from '../../util/files.js';
import { checkIsFile } from '../../util/read-files.js';
import { ARCHIVES, PAGE } from './definition.js';
import { classFolders } from './survey.js';

/** A part of ImageNet in a person's folder: an archive, or what it unpacks to. */
export type Part =
  | { readonly kind: 'archive'; readonly path: string; readonly bytes: number; readonly modified: number }
  | { readonly kind: 'folder'; readonly path: string };

export interface Parts {
  readonly train: Part;
  readonly test: Part;
  /** The validation images lie in folders of classes, which say what they show. */
  readonly testInClassFolders: boolean;
  /** The development kit's archive, or its folder `data`; not needed with class folders. */
  readonly devkit: Part | undefined;
}

/** Finds the parts of ImageNet in a folder. Throws a UserError (data) that says which are missing. */
export async function findParts(from: string): Promise<Parts> {
  const folder = resolve(from);
  if ((await kindOf(folder)) !== 'folder') {
    throw new UserError('data', `there is no folder ${folder}`, 'Name the folder that holds the archives.');
  }
  const train = await find(folder, ARCHIVES.train.name, 'train');
  const test = await find(folder, ARCHIVES.test.name, 'val');
  const devkit = await find(folder, ARCHIVES.devkit.name, 'ILSVRC2012_devkit_t12/data');
  const testInClassFolders = test?.kind === 'folder' && (await classFolders(test.path)).length > 0;
  const missing = [
    ...(train ? [] : [`${ARCHIVES.train.name} (or a folder train)`]),
    ...(test ? [] : [`${ARCHIVES.test.name} (or a folder val)`]),
    ...(devkit || testInClassFolders ? [] : [ARCHIVES.devkit.name]),
  ];
  if (train && test && missing.length === 0) return { train, test, testInClassFolders, devkit };
  throw new UserError('data', `${folder} lacks ${missing.join(', ')}`, `Get them from ${PAGE}`);
}

async function find(folder: string, archive: string, unpacked: string): Promise<Part | undefined> {
  const path = join(folder, archive);
  const found = await statOf(path);
  if (found?.isFile()) return { kind: 'archive', path, bytes: found.size, modified: found.mtimeMs };
  if (found && !found.isDirectory()) checkIsFile(found, path);
  const inner = join(folder, unpacked);
  return (await kindOf(inner)) === 'folder' ? { kind: 'folder', path: inner } : undefined;
}

async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  const found = await statOf(path);
  return found && (found.isDirectory() ? 'folder' : 'file');
}
