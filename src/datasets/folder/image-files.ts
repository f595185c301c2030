import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { diskError } from '../../util/disk-errors.js';

/** Files that sharp reads, by their names. */
const IMAGE = /\.(jpe?g|jpe|jfif|png|webp|gif|tiff?|avif)$/i;

export interface NamedFile {
  /** Below the folder that was looked through, with `/`, in Unicode's composed form: the same on every file system. */
  readonly name: string;
  readonly path: string;
}

/** The files in a folder and below it. */
export interface FoundFiles {
  /** In the order of their names' bytes. */
  readonly images: readonly NamedFile[];
  /** Files that are no images by their names. */
  readonly others: readonly NamedFile[];
}

/**
 * Looks through a folder, and those below it, for images by their names. What is hidden is left out, and links to
 * folders are not followed: some lead in a circle. Throws a UserError (data) if it cannot be listed.
 * @param otherwise what a person can do then, as the end of a sentence
 */
export async function imageFiles(folder: string, otherwise: string): Promise<FoundFiles> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    throw diskError(error, `cannot list ${folder}`, otherwise);
  });
  const files = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, name: relative(folder, path).split(sep).join('/').normalize() }))
    .filter(({ name }) => !name.split('/').some((part) => part.startsWith('.')));
  return {
    images: byBytes(files.filter(({ name }) => IMAGE.test(name))),
    others: files.filter(({ name }) => !IMAGE.test(name)),
  };
}

/** Sorts by the bytes of the names. */
export function byBytes<T extends { readonly name: string }>(files: readonly T[]): T[] {
  return files.toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}
