import type { FileRange, ImageFiles } from '../dataset.js';
import type { FolderImage } from './listing.js';

/** The images of one split of a folder, each in a file. */
export class FolderFiles implements ImageFiles {
  readonly count: number;
  readonly labels: Uint16Array;

  constructor(readonly images: readonly FolderImage[]) {
    this.count = images.length;
    this.labels = Uint16Array.from(images, ({ label }) => label);
  }

  locate(index: number): FileRange {
    const { path, bytes } = this.images[index]!;
    return { path, start: 0, bytes };
  }

  async name(index: number): Promise<string> {
    return this.images[index]!.path;
  }
}
