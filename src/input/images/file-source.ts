import type { ImageFiles } from '../../datasets/dataset.js';
import { UserError } from '../../util/errors.js';
import type { Reporter } from '../../util/reporter.js';
import type { ImageSource, MadeImages } from '../batches.js';
import { CROPS } from '../ten-crop.js';
import type { DecodingPool } from './pool.js';
import type { Preparation, Purpose } from './prepare.js';

export interface FileSourceOptions {
  readonly pool: DecodingPool;
  readonly preparation: Preparation;
  /** Leaves out images that cannot be read, instead of stopping. */
  readonly skipBadImages: boolean;
  readonly reporter: Reporter;
}

/** Largest memory of the batches that are made ahead. */
const MEMORY_AHEAD = 2 ** 29;

/** Images that are decoded, cropped and scaled when they are needed, by a pool of threads. */
export class FileSource implements ImageSource {
  readonly count: number;
  readonly labels: Uint16Array;
  /** Names of the images that were left out so far. */
  readonly skipped = new Map<number, string>();
  /** Values of the network's input for one image. */
  private readonly values: number;
  /** Memory of batches that were used. */
  private free: SharedArrayBuffer[] = [];

  constructor(
    private readonly images: ImageFiles,
    private readonly options: FileSourceOptions,
  ) {
    this.count = images.count;
    this.labels = images.labels;
    this.values = 3 * options.preparation.side ** 2;
  }

  /** Enough to give every worker the next image, whatever the batch's size; within the bound on memory. */
  ahead(batchSize: number): number {
    const bytes = batchSize * this.values * Float32Array.BYTES_PER_ELEMENT;
    const useful = 1 + Math.ceil((4 * this.options.pool.workers) / batchSize);
    return Math.max(1, Math.min(useful, Math.floor(MEMORY_AHEAD / bytes)));
  }

  make(indices: Uint32Array, epoch: number | undefined): Promise<MadeImages> {
    return this.makeFor(epoch === undefined ? 'centre' : { epoch }, indices, this.values);
  }

  makeTenCrops(indices: Uint32Array): Promise<MadeImages> {
    return this.makeFor('ten-crop', indices, CROPS * this.values);
  }

  /** @param values that an image becomes */
  private async makeFor(purpose: Purpose, indices: Uint32Array, values: number): Promise<MadeImages> {
    const { pool, preparation } = this.options;
    const memory = this.memory(indices.length * values * Float32Array.BYTES_PER_ELEMENT);
    const problems = await Promise.all(
      Array.from(indices, (index, n) => {
        const file = this.images.locate(index);
        return pool.run({ file, index, purpose, preparation, memory, offset: n * values, values });
      }),
    );
    const images = new Float32Array(memory, 0, indices.length * values);
    if (problems.every((problem) => problem === undefined)) return { images, indices };
    return this.withoutBad(images, indices, problems, values);
  }

  release({ images }: MadeImages): void {
    this.free.push(images.buffer as SharedArrayBuffer);
  }

  /** Memory of at least this size: used before, as what is left to the garbage collector stays for long. */
  private memory(bytes: number): SharedArrayBuffer {
    const fitting = this.free.findIndex((memory) => memory.byteLength >= bytes);
    if (fitting >= 0) return this.free.splice(fitting, 1)[0]!;
    this.free = [];
    return new SharedArrayBuffer(bytes);
  }

  /** Leaves out the images that have a problem, if that was asked for. */
  private async withoutBad(
    images: Float32Array,
    indices: Uint32Array,
    problems: readonly (string | undefined)[],
    values: number,
  ): Promise<MadeImages> {
    const kept: number[] = [];
    for (const [n, problem] of problems.entries()) {
      if (problem === undefined) {
        images.copyWithin(kept.length * values, n * values, (n + 1) * values);
        kept.push(indices[n]!);
      } else await this.skip(indices[n]!, problem);
    }
    return { images: images.subarray(0, kept.length * values), indices: Uint32Array.from(kept) };
  }

  private async skip(index: number, problem: string): Promise<void> {
    const name = await this.images.name(index);
    if (!this.options.skipBadImages) {
      throw new UserError(
        'data',
        `cannot read the image ${name}: ${problem}`,
        'Check the data (densenet data verify) and replace it, or leave such images out: --skip-bad-images',
      );
    }
    if (this.skipped.has(index)) return;
    this.skipped.set(index, name);
    this.options.reporter.warn(`left out the image ${name}: ${problem}`);
  }
}
