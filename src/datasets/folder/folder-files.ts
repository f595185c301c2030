import type { FileRange, ImageFiles } from '../dataset.js';
import type { FolderImage } from './listing.js';

/** The images of one split of a folder, each in a file. */
export class FolderFiles implements ImageFiles {
  readonly count: number;
  readonly labels: Uint16Array;

  constructor(readonly files: readonly FolderImage[]) {
    this.count = files.length;
    this.labels = Uint16Array.from(files, ({ label }) => label);
  }

  locate(index: number): FileRange {
    const { path, bytes } = this.files[index]!;
    return { path, start: 0, bytes };
  }

  async name(index: number): Promise<string> {
    return this.files[index]!.path;
  }
}
