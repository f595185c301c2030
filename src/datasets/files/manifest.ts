import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { systemCode } from '../../util/errors.js';
import { writeFileAtomic } from '../../util/files.js';
import { parseJson } from '../../util/json.js';
import { readSmallFile } from '../../util/read-files.js';
import type { DatasetDefinition } from '../dataset.js';

const Entry = z.object({ name: z.string(), bytes: z.int().nonnegative(), sha256: z.hash('sha256') });
const Manifest = z.object({ format: z.literal(1), dataset: z.string(), files: z.array(Entry) });

/** A data file as it was when it was put into place. */
export type ManifestEntry = z.infer<typeof Entry>;

/** A manifest takes about 100 bytes per file. */
const MOST_BYTES = 2 ** 20;

/** Written last, so its presence says that every data file is in place. */
const MANIFEST_NAME = 'manifest.json';

/**
 * What is known of the data files in `folder`, by name: from the manifest, or from the definition for a
 * dataset that comes with the program. Undefined when there is no (readable) manifest for these files.
 */
export async function readManifest(
  definition: DatasetDefinition,
  folder: string,
): Promise<ReadonlyMap<string, ManifestEntry> | undefined> {
  const entries =
    definition.origin === 'shipped' ? publishedEntries(definition) : await storedEntries(definition, folder);
  const byName = new Map(entries?.map((entry) => [entry.name, entry]));
  const agrees = definition.files.every((file) => {
    const entry = byName.get(file.name);
    return entry?.bytes === file.bytes && (file.sha256 ?? entry.sha256) === entry.sha256;
  });
  return agrees ? byName : undefined;
}

function publishedEntries(definition: DatasetDefinition): ManifestEntry[] {
  return definition.files.flatMap(({ name, bytes, sha256 }) => (sha256 ? [{ name, bytes, sha256 }] : []));
}

async function storedEntries(definition: DatasetDefinition, folder: string) {
  let text: string;
  try {
    text = (await readSmallFile(join(folder, MANIFEST_NAME), MOST_BYTES)).toString('utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
  const manifest = Manifest.safeParse(parseJson(text));
  return manifest.success && manifest.data.dataset === definition.name ? manifest.data.files : undefined;
}

/** Writes the manifest, whole or not at all. */
export async function writeManifest(
  definition: DatasetDefinition,
  folder: string,
  files: readonly ManifestEntry[],
): Promise<void> {
  const text = JSON.stringify({ format: 1, dataset: definition.name, files }, null, 2);
  await writeFileAtomic(join(folder, MANIFEST_NAME), `${text}\n`);
}

/** SHA-256 over the data files' names and digests, in the definition's order. */
export function datasetDigest(
  definition: DatasetDefinition,
  manifest: ReadonlyMap<string, ManifestEntry>,
): string {
  const hash = createHash('sha256');
  for (const { name } of definition.files) hash.update(`${manifest.get(name)?.sha256}  ${name}\n`);
  return hash.digest('hex');
}
