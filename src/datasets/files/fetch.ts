import { systemCode, UserError } from '../../util/errors.js';
import { makeFolders } from '../../util/files.js';
import type { DataFile, DatasetDefinition, SourceFile } from '../dataset.js';
import { FormatError } from '../formats/format-error.js';
import type { FetchOptions, FileCheck } from '../store.js';
import { checkFiles } from './check.js';
import { downloadSource } from './download-source.js';
import { explainDiskErrors } from './explain-disk-errors.js';
import { removeDeadLock, withFetchLock } from './fetch-lock.js';
import { datasetFolder } from './folder.js';
import { importSource } from './import.js';
import { type Reader, remedy } from './load.js';
import { type ManifestEntry, writeManifest } from './manifest.js';
import type { Destination } from './unpack.js';
import { closeWorkspace, openWorkspace, removeDeadWorkspaces } from './workspace.js';

/**
 * Makes the dataset whole on disk: checks the digest of every file that is there, and downloads or imports the
 * others. Nothing but whole files is moved into place, the manifest last. Several processes may do so at once.
 * Throws `UserError` when it cannot be done.
 * @returns whether there was anything to do
 */
export async function fetchFiles(
  definition: DatasetDefinition,
  read: Reader,
  options: FetchOptions,
): Promise<boolean> {
  const { folder, signal, reporter } = options;
  const own = datasetFolder(definition, folder);
  const before = await checkFiles(definition, folder, { signal });
  if (before.whole) {
    if (definition.origin !== 'shipped') await removeLeftovers(own);
    return false;
  }
  if (definition.origin === 'shipped') {
    const bad = before.files.find((file) => file.status !== 'whole');
    throw new UserError('data', `${bad?.path} is ${bad?.status}`, remedy(definition));
  }
  const onWait = (owner: string) =>
    reporter.line(`Process ${owner} is fetching ${definition.title} already; waiting for it.`);
  return explainDiskErrors(own, async () => {
    await makeFolders(own);
    return withFetchLock(own, onWait, signal, () => complete(definition, read, own, options));
  });
}

/** Removes what a process left that died when all files were in place, as far as the disk lets it. */
async function removeLeftovers(own: string): Promise<void> {
  try {
    await removeDeadWorkspaces(own);
    await removeDeadLock(own);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}

async function complete(
  definition: DatasetDefinition,
  read: Reader,
  folder: string,
  options: FetchOptions,
): Promise<boolean> {
  const check = await checkFiles(definition, options.folder, { signal: options.signal });
  if (check.whole) return false;
  const workspace = await openWorkspace(folder);
  const to: Destination = { folder, workspace, signal: options.signal };
  const entries = new Map(wholeEntries(check.files).map((entry) => [entry.name, entry]));
  for (const source of definition.sources) {
    const wanted = contents(definition, source).filter((file) => !entries.has(file.name));
    if (wanted.length === 0) continue;
    const stored = options.from
      ? await importSource(source, wanted, options.from, to, options.reporter)
      : await downloadSource(source, wanted, to, options);
    for (const entry of stored) entries.set(entry.name, entry);
  }
  if (options.from) await inspectUnpublished(definition, read, folder, options.from);
  await writeManifest(
    definition,
    folder,
    definition.files.map((file) => entries.get(file.name)!),
  );
  await closeWorkspace(folder, workspace);
  return true;
}

function wholeEntries(files: readonly FileCheck[]): ManifestEntry[] {
  return files.flatMap(({ name, bytes, status, sha256 }) =>
    status === 'whole' && sha256 !== undefined ? [{ name, bytes, sha256 }] : [],
  );
}

/** The data files that a source holds. */
function contents(definition: DatasetDefinition, source: SourceFile): readonly DataFile[] {
  if (source.packing === 'tar.gz') return definition.files;
  const name = source.packing === 'gzip' ? source.name.replace(/\.gz$/, '') : source.name;
  return definition.files.filter((file) => file.name === name);
}

/**
 * Where no digest is published for the data files, those of a person's own folder are at least read through
 * once, which checks their labels.
 */
async function inspectUnpublished(
  definition: DatasetDefinition,
  read: Reader,
  folder: string,
  from: string,
): Promise<void> {
  if (definition.files.every((file) => file.sha256 ?? file.md5)) return;
  try {
    await read(definition, folder);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const remedy = `Replace that file in ${from}, or leave out --from to download it.`;
    throw new UserError('data', `cannot import ${definition.title}: ${error.message}`, remedy, {
      cause: error,
    });
  }
}
