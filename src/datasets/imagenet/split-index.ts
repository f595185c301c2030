import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileRange, ImageFiles } from '../dataset.js';
import { ownName } from '../formats/tar.js';
import { imagenetClasses } from './classes.js';

/** An image as it was found: in an archive, at `offset`, or as a file of its own. */
export interface FoundImage {
  readonly name: string;
  readonly label: number;
  readonly bytes: number;
  readonly offset: number;
}

/** Where the images of a split lie. */
export type ImagePlace =
  | {
      readonly kind: 'archive';
      readonly path: string;
      readonly bytes: number;
      /** Time of the last change, in milliseconds. */
      readonly modified: number;
      readonly md5: string;
    }
  /** `classFolders`: in a folder for each class, else all in one. */
  | { readonly kind: 'folder'; readonly path: string; readonly classFolders: boolean };

/** The columns of an index, one value per image: what it takes to find and to label it. */
export interface SplitColumns {
  readonly labels: Uint16Array;
  /** Size of the file in bytes. */
  readonly sizes: Uint32Array;
  /** In an archive: where the file begins, in blocks of 512 bytes. */
  readonly blocks?: Uint32Array;
  /** In a folder: the names, one after another, and where each ends. */
  readonly names?: Buffer;
  readonly nameEnds?: Uint32Array;
}

const TAR_BLOCK = 512;

/** Larger files are no photographs. */
export const MOST_IMAGE_BYTES = 2 ** 28;

/** The images of one split of ImageNet, wherever they lie. */
export class SplitIndex implements ImageFiles {
  readonly count: number;
  readonly labels: Uint16Array;

  constructor(
    readonly place: ImagePlace,
    readonly columns: SplitColumns,
    /** SHA-256 over label, size and name of every image: the same for an archive and for what it unpacks to. */
    readonly digest: string,
  ) {
    this.count = columns.labels.length;
    this.labels = columns.labels;
  }

  /** The index of these images, in this order. */
  static of(place: ImagePlace, images: readonly FoundImage[]): SplitIndex {
    const hash = createHash('sha256');
    for (const { label, bytes, name } of images) hash.update(`${label} ${bytes} ${name}\n`);
    const common = {
      labels: Uint16Array.from(images, ({ label }) => label),
      sizes: Uint32Array.from(images, ({ bytes }) => bytes),
    };
    if (place.kind === 'archive') {
      const blocks = Uint32Array.from(images, ({ offset }) => offset / TAR_BLOCK);
      return new SplitIndex(place, { ...common, blocks }, hash.digest('hex'));
    }
    let end = 0;
    const nameEnds = Uint32Array.from(images, ({ name }) => {
      end += Buffer.byteLength(name);
      return end;
    });
    const names = Buffer.from(images.map(({ name }) => name).join(''));
    return new SplitIndex(place, { ...common, names, nameEnds }, hash.digest('hex'));
  }

  locate(index: number): FileRange {
    const { place } = this;
    const bytes = this.columns.sizes[index]!;
    if (place.kind === 'archive') {
      return { path: place.path, start: this.columns.blocks![index]! * TAR_BLOCK, bytes };
    }
    const wnid = place.classFolders ? imagenetClasses()[this.labels[index]!]!.wnid : '';
    return { path: join(place.path, wnid, this.nameInFolder(index)), start: 0, bytes };
  }

  /** For people: the path of a file, or an archive and the name in it, which stands in the header before the file. */
  async name(index: number): Promise<string> {
    const { path, start } = this.locate(index);
    if (this.place.kind === 'folder') return path;
    const archive = await open(path);
    try {
      const header = Buffer.alloc(TAR_BLOCK);
      await archive.read(header, 0, TAR_BLOCK, start - TAR_BLOCK);
      return `${ownName(header)} in ${path}`;
    } finally {
      await archive.close();
    }
  }

  private nameInFolder(index: number): string {
    const ends = this.columns.nameEnds!;
    return this.columns.names!.toString('utf8', index === 0 ? 0 : ends[index - 1], ends[index]);
  }
}
