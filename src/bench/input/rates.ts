import sharp from 'sharp';
import type { ImageFiles } from '../../datasets/dataset.js';
import { batches } from '../../input/batches.js';
import { type Rectangle, randomSizedCrop } from '../../input/images/crops.js';
import { FileSource } from '../../input/images/file-source.js';
import { imageHeader } from '../../input/images/header.js';
import { DecodingPool } from '../../input/images/pool.js';
import type { Preparation } from '../../input/images/prepare.js';
import { readRange } from '../../input/images/worker.js';
import { type Machine, machine } from '../../util/machine.js';
import { silent } from '../../util/reporter.js';
import { type Summary, summarize } from '../statistics.js';
import type { Photographs } from './photographs.js';

export interface InputBenchOptions {
  /** Images of a round. */
  readonly images: number;
  readonly rounds: number;
  readonly batch: number;
  readonly workers: number;
}

/** What `densenet bench input --json` prints. */
export interface InputBenchReport {
  readonly data: string;
  readonly images: number;
  readonly batch: number;
  readonly workers: number;
  /** Images per second of each. */
  readonly pipeline: Summary;
  readonly sharp: Summary;
  /** Of the medians. */
  readonly ratio: number;
  readonly machine: Machine;
}

const SEED = 1;
const EPOCH = 0;

/**
 * How fast training images are made, beside what sharp alone reaches on as many threads: to read, decode, cut out and
 * scale the same parts of the same files, without jitter, lighting, normalisation and batches. In turn, in one run.
 */
export async function benchInput(
  { images, definition, description }: Photographs,
  options: InputBenchOptions,
): Promise<InputBenchReport> {
  const preparation: Preparation = {
    side: definition.image.height,
    augmentation: ['sized-crop', 'color-jitter', 'lighting', 'mirror'],
    seed: SEED,
    resize: 'paper',
    normalization: definition.normalization,
  };
  const count = Math.min(images.count, options.images);
  const indices = Uint32Array.from({ length: options.images }, (_, i) => i % count);
  const parts = Array.from(indices.subarray(0, count), (index) => partOf(images, index));
  const pool = new DecodingPool(options.workers);
  try {
    const rates = { pipeline: [] as number[], sharp: [] as number[] };
    for (let round = -1; round < options.rounds; round++) {
      const pipeline = await rate(options.images, () =>
        runPipeline(images, indices, preparation, pool, options),
      );
      const alone = await rate(options.images, () =>
        runSharp(images, indices, parts, preparation.side, options),
      );
      if (round < 0) continue; // The first round warms up.
      rates.pipeline.push(pipeline);
      rates.sharp.push(alone);
    }
    const pipeline = summarize(rates.pipeline);
    const alone = summarize(rates.sharp);
    return {
      data: description,
      images: options.images,
      batch: options.batch,
      workers: options.workers,
      pipeline,
      sharp: alone,
      ratio: pipeline.median / alone.median,
      machine: machine(),
    };
  } finally {
    await pool.close();
  }
}

/** Images per second. */
async function rate(images: number, work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (1000 * images) / (performance.now() - started);
}

async function runPipeline(
  images: ImageFiles,
  indices: Uint32Array,
  preparation: Preparation,
  pool: DecodingPool,
  { batch }: InputBenchOptions,
): Promise<void> {
  const source = new FileSource(images, { pool, preparation, skipBadImages: false, reporter: silent });
  for await (const _ of batches({ source, indices }, { batchSize: batch, epoch: EPOCH }));
}

async function runSharp(
  images: ImageFiles,
  indices: Uint32Array,
  parts: readonly Rectangle[],
  side: number,
  { workers }: InputBenchOptions,
): Promise<void> {
  let next = 0;
  const line = async () => {
    while (next < indices.length) {
      const index = indices[next++]!;
      await sharp(readRange(images.locate(index)), { failOn: 'error', ignoreIcc: true })
        .extract(parts[index]!)
        .resize(side, side, { fit: 'fill', kernel: 'cubic' })
        .removeAlpha()
        .toColourspace('srgb')
        .raw({ depth: 'uchar' })
        .toBuffer();
    }
  };
  await Promise.all(Array.from({ length: workers }, line));
}

function partOf(images: ImageFiles, index: number): Rectangle {
  const { path } = images.locate(index);
  const size = imageHeader(readRange(images.locate(index)));
  if (!size) throw new Error(`${path} cannot be read`);
  return randomSizedCrop(size, SEED, EPOCH, index) ?? { left: 0, top: 0, ...size };
}
