import {
  type MicroBatch,
  type Model,
  microBatches,
  type TrainResult,
  type TrainStep,
} from '../engines/engine.js';
import { type BatchesOptions, batches, type InputBatch, labelsOf, type Split } from '../input/batches.js';
import type { Group } from '../mpi/group.js';

/** The micro-batches of a batch that one process computes. */
export interface Share extends InputBatch {
  /** Images of the whole batch. */
  readonly count: number;
}

export interface SharesOptions extends BatchesOptions {
  readonly accumulate: number;
  /** Whether images may be left out that cannot be read. */
  readonly mayLack: boolean;
}

/**
 * The batches of a split, of each the images of this process's own micro-batches: process r of n has the r-th n-th of
 * them, one after another; one process has all. A batch of which no image can be read is left out.
 */
export async function* shares(
  order: Split,
  { accumulate, mayLack, ...options }: SharesOptions,
  group: Group,
): AsyncGenerator<Share, void, void> {
  const { source, indices } = order;
  if (group.size === 1) {
    for await (const batch of batches(order, options)) yield { ...batch, count: batch.labels.length };
    return;
  }
  const own = (batch: Uint32Array) => ownImages(batch, accumulate, group);
  for await (const made of batches(order, { ...options, share: own })) {
    const begin = made.number * options.batchSize;
    const wanted = indices.subarray(begin, begin + options.batchSize);
    if (!mayLack) {
      yield { ...made, count: wanted.length };
      continue;
    }
    const counts = await group.agree(made.indices.length);
    const count = counts.reduce((sum, one) => sum + one, 0);
    if (count === wanted.length) yield { ...made, count };
    else if (count > 0) {
      // Micro-batches are cut of those that can be read, so the borders move.
      const readable = Uint32Array.from(await group.gather(Float64Array.from(made.indices), counts));
      const again = await source.make(own(readable), options.epoch);
      yield { ...again, number: made.number, labels: labelsOf(source, again), count };
      source.release?.(again);
    }
  }
}

/** Which of a batch's micro-batches a process computes: [begin, end). */
function ownParts(count: number, rank: number, size: number): [begin: number, end: number] {
  return [Math.floor((count * rank) / size), Math.floor((count * (rank + 1)) / size)];
}

function ownMicroBatches(cut: readonly MicroBatch[], { rank, size }: Pick<Group, 'rank' | 'size'>) {
  return cut.slice(...ownParts(cut.length, rank, size));
}

function ownImages(batch: Uint32Array, accumulate: number, group: Group): Uint32Array {
  const own = ownMicroBatches(microBatches(batch.length, { learningRate: 0, step: 0, accumulate }), group);
  return batch.subarray(own[0]?.begin ?? 0, own.at(-1)?.end ?? 0);
}

/** One step of several processes, to the bit the same as `model.train` of the whole batch. */
export class SharedStep {
  readonly #model: Model;
  readonly #group: Group;
  readonly #sum: Float32Array;
  #gradients = new Float32Array(0);

  constructor(model: Model, group: Group) {
    this.#model = model;
    this.#group = group;
    this.#sum = new Float32Array(model.contributionSize.gradient);
  }

  async train(share: Share, step: TrainStep): Promise<TrainResult> {
    const { size } = this.#group;
    const cut = microBatches(share.count, step);
    const own = ownMicroBatches(cut, this.#group);
    const { gradient, statistics } = this.#model.contributionSize;
    if (this.#gradients.length < own.length * gradient)
      this.#gradients = new Float32Array(own.length * gradient);
    const results = new Float64Array(2 * own.length);
    const moves = new Float64Array(statistics * own.length);
    for (const [index, { begin, end, draw }] of own.entries()) {
      const at = begin - own[0]!.begin;
      const { loss, correct } = await this.#model.contribute(
        share,
        { begin: at, end: at + end - begin, draw, stepImages: share.count },
        {
          gradient: this.#gradients.subarray(index * gradient, (index + 1) * gradient),
          statistics: moves.subarray(index * statistics, (index + 1) * statistics),
        },
      );
      results.set([loss, correct], 2 * index);
    }
    const parts = Array.from({ length: size }, (_, rank) => {
      const [begin, end] = ownParts(cut.length, rank, size);
      return end - begin;
    });
    const times = (length: number) => parts.map((count) => count * length);
    await this.#group.agree();
    await this.#group.sum(this.#gradients, parts, this.#sum);
    const allMoves = await this.#group.gather(moves, times(statistics));
    const allResults = await this.#group.gather(results, times(2));
    const draws = cut.map(({ draw }) => draw);
    await this.#model.apply({ gradient: this.#sum, statistics: allMoves }, { ...step, draws });
    const total = { loss: 0, correct: 0 };
    for (let i = 0; i < allResults.length; i += 2) {
      total.loss += allResults[i]!;
      total.correct += allResults[i + 1]!;
    }
    return total;
  }
}
