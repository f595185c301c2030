import type { Network } from '../../networks/network.js';
import { parameters } from '../../networks/parameters.js';
import { branchNorms, residualUnits, survivalProbabilities, survivors } from '../../networks/residual.js';
import { stageShapes } from '../../networks/stages.js';
import { key, PURPOSE } from '../../util/random.js';
import {
  type Batch,
  type Contribution,
  type MicroBatch,
  type Model,
  type ModelState,
  microBatches,
  type TrainResult,
  type TrainStep,
} from '../engine.js';
import { flatten, type Layout, totalSize, unflatten } from './graph/layout.js';
import { bitsType, compiledName, FEED, FETCH, type GraphUse } from './graph/model-graph.js';
import { maskCount } from './graph/training.js';
import type { TensorFlowProcess } from './process/client.js';
import type { Feed } from './process/messages.js';

/** A network whose state lives in a TensorFlow session. */
export class TensorFlowModel implements Model {
  readonly #process: TensorFlowProcess;
  readonly #session: number;
  readonly #network: Network;
  readonly #layout: Layout;
  readonly #use: GraphUse;
  readonly #seed: number;
  readonly #masks: number;
  /** Of every residual unit; empty without stochastic depth. */
  readonly #survival: readonly number[];
  /** Values of an image. */
  readonly #imageSize: number;
  /** The numbers of the batches that were handed over. */
  readonly #handedOver = new WeakMap<Float32Array, number>();

  constructor(
    process: TensorFlowProcess,
    session: number,
    network: Network,
    layout: Layout,
    use: GraphUse,
    seed: number,
  ) {
    this.#process = process;
    this.#session = session;
    this.#network = network;
    this.#layout = layout;
    this.#use = use;
    this.#seed = seed;
    this.#masks = maskCount(network);
    this.#survival = survivalProbabilities(network);
    this.#imageSize = network.input.channels * network.input.height * network.input.width;
  }

  async train(batch: Batch, step: TrainStep): Promise<TrainResult> {
    const images = batch.labels.length;
    const rate: Feed = { name: FEED.learningRate, shape: [], data: Float32Array.of(step.learningRate) };
    const parts = microBatches(images, step);
    if (parts.length === 1) return this.#pass(batch, parts[0]!, FETCH.step, [rate]);
    let loss = 0;
    let correct = 0;
    for (const [index, part] of parts.entries()) {
      const fetch = index === 0 ? FETCH.firstGradient : FETCH.nextGradient;
      const result = await this.#pass(batch, part, fetch);
      loss += (result.loss * (part.end - part.begin)) / images;
      correct += result.correct;
    }
    await this.#process.run(this.#session, [rate], [this.#updating(FETCH.update)]);
    return { loss, correct };
  }

  get contributionSize(): { gradient: number; statistics: number } {
    const { trainable, running } = this.#layout;
    return { gradient: totalSize(trainable), statistics: totalSize(running) };
  }

  async contribute(
    batch: Batch,
    part: MicroBatch & { readonly stepImages: number },
    into: Contribution,
  ): Promise<TrainResult> {
    const { stepImages } = part;
    const images = part.end - part.begin;
    const feeds = this.#feeds(batch, part, stepImages);
    const fetches = [FETCH.result, FETCH.gradient, FETCH.statistics].map((fetch) => this.#way(fetch, images));
    const [result, gradient, statistics] = await this.#process.run(this.#session, feeds, fetches);
    into.gradient.set(gradient!.data);
    into.statistics.set(statistics!.data);
    const [loss, correct] = result!.data;
    return { loss: (loss! * images) / stepImages, correct: correct! };
  }

  async apply(
    { gradient, statistics }: Contribution,
    { learningRate, draws }: { readonly learningRate: number; readonly draws: readonly number[] },
  ): Promise<void> {
    const rate: Feed = { name: FEED.learningRate, shape: [], data: Float32Array.of(learningRate) };
    const update = this.#updating(FETCH.fedUpdate);
    await this.#process.run(this.#session, [rate, this.#bits(FEED.gradient, gradient)], [update]);
    const size = statistics.length / draws.length;
    for (const [index, draw] of draws.entries()) {
      const own = Float32Array.from(statistics.subarray(index * size, (index + 1) * size));
      await this.#keepDropped(own, draw);
      await this.#process.run(
        this.#session,
        [this.#bits(FEED.statistics, own)],
        [this.#updating(FETCH.fedMove)],
      );
    }
  }

  /** The statistics of branches that are not there stay as they are now, which may be later than `own` was made. */
  async #keepDropped(own: Float32Array, draw: number): Promise<void> {
    const there = survivors(this.#survival, this.#seed, draw);
    if (there.every(Boolean)) return;
    const units = stageShapes(this.#network).flatMap(({ stage, input, name }) =>
      stage.kind === 'residualStage' ? residualUnits(stage, input, name) : [],
    );
    const dropped = new Set(units.filter((_, unit) => !there[unit]).flatMap(branchNorms));
    const [running] = await this.#process.run(this.#session, [], [FETCH.running]);
    let offset = 0;
    for (const { name, size } of this.#layout.running) {
      const norm = name.slice(0, name.lastIndexOf('.'));
      if (dropped.has(norm)) own.set(running!.data.subarray(offset, offset + size), offset);
      offset += size;
    }
  }

  /** One way through the network and back with a micro-batch of the batch. */
  async #pass(batch: Batch, part: MicroBatch, fetch: string, more: readonly Feed[] = []) {
    const feeds = [...this.#feeds(batch, part, batch.labels.length), ...more];
    const [result] = await this.#process.run(this.#session, feeds, [this.#way(fetch, part.end - part.begin)]);
    const [loss, correct] = result!.data;
    return { loss: loss!, correct: correct! };
  }

  /** What a micro-batch of a step is fed as. */
  #feeds({ images, labels }: Batch, { begin, end, draw }: MicroBatch, stepImages: number): Feed[] {
    const feeds: Feed[] = [
      this.#images(images, begin, end),
      { name: FEED.labels, shape: [end - begin], data: labels.subarray(begin, end) },
      { name: FEED.stepImages, shape: [], data: Float32Array.of(stepImages) },
      ...this.#branches(draw),
    ];
    if (this.#masks > 0) {
      const keys = new Int32Array(2 * this.#masks);
      for (let mask = 0; mask < this.#masks; mask++) {
        keys.set(key(this.#seed, PURPOSE.dropout, draw, mask), 2 * mask);
      }
      feeds.push({ name: FEED.dropoutKeys, shape: [this.#masks, 2], data: keys });
    }
    return feeds;
  }

  /** Which branches are there in a micro-batch, with stochastic depth. */
  #branches(draw: number): Feed[] {
    if (this.#survival.length === 0) return [];
    const there = Int32Array.from(survivors(this.#survival, this.#seed, draw));
    return [{ name: FEED.branches, shape: [there.length], data: there }];
  }

  async predict(images: Float32Array): Promise<Float32Array> {
    const count = images.length / this.#imageSize;
    const feed = this.#images(images, 0, count);
    const fetch = this.#way(FETCH.logits, count);
    const [logits] = await this.#process.run(this.#session, [feed], [fetch]);
    return logits!.data as Float32Array;
  }

  async exportState(): Promise<ModelState> {
    const fetches = [FETCH.weights, FETCH.running, FETCH.momentum];
    const [weights, running, momentum] = (await this.#process.run(this.#session, [], fetches)).map(
      ({ data }) => data as Float32Array,
    ) as [Float32Array, Float32Array, Float32Array];
    const { trainable, running: statistics } = this.#layout;
    const tensors = new Map([...unflatten(trainable, weights), ...unflatten(statistics, running)]);
    return {
      weights: new Map(parameters(this.#network).map(({ name }) => [name, tensors.get(name)!])),
      momentum: unflatten(trainable, momentum),
    };
  }

  async importState({ weights, momentum }: ModelState): Promise<void> {
    const { trainable, running } = this.#layout;
    const feed = (name: string, data: Float32Array): Feed => ({ name, shape: [data.length], data });
    const feeds = [
      feed(FEED.weights, flatten(trainable, weights)),
      feed(FEED.momentum, flatten(trainable, momentum)),
      feed(FEED.running, flatten(running, weights)),
    ];
    await this.#process.run(this.#session, feeds, [FETCH.restored]);
  }

  async dispose(): Promise<void> {
    await this.#process.unload(this.#session);
  }

  /** The name of what is asked for with so many images. */
  #way(fetch: string, images: number): string {
    const { compiled, images: usual } = this.#use;
    return compiled && images === usual ? compiledName(fetch) : fetch;
  }

  /** The name of an update: compiled wherever passes are. */
  #updating(fetch: string): string {
    return this.#use.compiled ? compiledName(fetch) : fetch;
  }

  handOver(images: Float32Array): void {
    this.#handedOver.set(images, this.#process.handOver(images));
  }

  /** Images begin … end − 1 of a batch, which may have been handed over. */
  #images(batch: Float32Array, begin: number, end: number): Feed {
    const { channels, height, width } = this.#network.input;
    const offset = begin * this.#imageSize;
    const number = this.#handedOver.get(batch);
    return {
      ...this.#bits(FEED.images, batch.subarray(offset, end * this.#imageSize)),
      shape: [end - begin, channels, height, width],
      ahead: number === undefined ? undefined : { number, offset },
    };
  }

  /** A large array. */
  #bits(name: string, values: Float32Array): Feed {
    const float = bitsType(this.#use.form) === 'float';
    const data = float ? values : new Int32Array(values.buffer, values.byteOffset, values.length);
    return { name, shape: [values.length], data };
  }
}
