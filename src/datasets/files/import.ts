import { access } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { UserError } from '../../util/errors.js';
import type { Reporter } from '../../util/reporter.js';
import type { DataFile, SourceFile } from '../dataset.js';
import { FormatError } from '../formats/format-error.js';
import { checkSource } from './integrity.js';
import type { ManifestEntry } from './manifest.js';
import { type Destination, storeArchive, storeFile } from './unpack.js';

/**
 * Copies the wanted files of `source` from a person's folder: from the published archive, or the data files
 * as they are or gzipped, in `from` itself or in the folder that the archive unpacks to.
 * Throws `UserError` when they are not there or not the published ones.
 */
export async function importSource(
  source: SourceFile,
  wanted: readonly DataFile[],
  from: string,
  to: Destination,
  reporter: Reporter,
): Promise<ManifestEntry[]> {
  try {
    const archive = join(from, source.name);
    if (source.packing === 'tar.gz' && (await exists(archive))) {
      await checkSource(archive, source, to.signal);
      return await storeArchive(archive, wanted, to);
    }
    const stored: ManifestEntry[] = [];
    for (const file of wanted) stored.push(await storeFile(await find(source, file, from), file, to));
    const unpublished = wanted.filter((file) => file.sha256 === undefined && file.md5 === undefined);
    if (unpublished.length > 0) {
      const names = unpublished.map((file) => file.name).join(', ');
      reporter.warn(`no digest is published for ${names}; only sizes and labels can be checked`);
    }
    return stored;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const remedy = `Replace it with the published file, or leave out --from to download it.`;
    throw new UserError('data', `cannot import ${error.message}`, remedy, { cause: error });
  }
}

async function find(source: SourceFile, file: DataFile, from: string): Promise<string> {
  const folders = source.innerFolder ? [from, join(from, source.innerFolder)] : [from];
  const candidates = folders.flatMap((folder) => [join(folder, file.name), join(folder, `${file.name}.gz`)]);
  for (const path of candidates) {
    if (await exists(path)) return path;
  }
  if (!(await exists(from))) {
    throw new UserError('data', `there is no folder ${from}`, 'Name the folder that holds the files.');
  }
  const other = await otherVersion(source, from);
  if (other) throw other;
  const names = source.packing === 'tar.gz' ? `neither ${source.name} nor ${file.name}` : `no ${source.name}`;
  throw new UserError(
    'data',
    `there is ${names} in ${from}`,
    'Name the folder that holds the files, or leave out --from to download them.',
  );
}

/** Says so where the folder has the data in a version that is not read here, or is such a folder itself. */
async function otherVersion(source: SourceFile, from: string): Promise<UserError | undefined> {
  for (const [version, names] of Object.entries(source.otherVersions ?? {})) {
    for (const name of names) {
      const path = basename(resolve(from)) === name ? from : join(from, name);
      if (!(await exists(path))) continue;
      return new UserError(
        'data',
        `${path} is the ${version} version; the binary version is read here`,
        `Bring ${source.name}, or leave out --from to download it.`,
      );
    }
  }
  return undefined;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
