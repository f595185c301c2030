import type { Network } from '../../networks/network.js';
import { parameters } from '../../networks/parameters.js';
import { survivalProbabilities, survivors } from '../../networks/residual.js';
import { key, PURPOSE } from '../../util/random.js';
import {
  type Batch,
  type MicroBatch,
  type Model,
  type ModelState,
  microBatches,
  type TrainResult,
  type TrainStep,
} from '../engine.js';
import { flatten, type Layout, unflatten } from './graph/layout.js';
import { compiledName, FEED, FETCH, type GraphUse, imageType } from './graph/model-graph.js';
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
    const update = this.#use.compiled ? compiledName(FETCH.update) : FETCH.update;
    await this.#process.run(this.#session, [rate], [update]);
    return { loss, correct };
  }

  /** One way through the network and back with a micro-batch of the batch. */
  async #pass(batch: Batch, { begin, end, draw }: MicroBatch, fetch: string, more: readonly Feed[] = []) {
    const images = batch.labels.length;
    const size = batch.images.length / images;
    const feeds: Feed[] = [
      this.#images(batch.images.subarray(begin * size, end * size)),
      { name: FEED.labels, shape: [end - begin], data: batch.labels.subarray(begin, end) },
      { name: FEED.stepImages, shape: [], data: Float32Array.of(images) },
      ...this.#branches(draw),
      ...more,
    ];
    if (this.#masks > 0) {
      const keys = new Int32Array(2 * this.#masks);
      for (let mask = 0; mask < this.#masks; mask++) {
        keys.set(key(this.#seed, PURPOSE.dropout, draw, mask), 2 * mask);
      }
      feeds.push({ name: FEED.dropoutKeys, shape: [this.#masks, 2], data: keys });
    }
    const [result] = await this.#process.run(this.#session, feeds, [this.#way(fetch, end - begin)]);
    const [loss, correct] = result!.data;
    return { loss: loss!, correct: correct! };
  }

  /** Which branches are there in a micro-batch, with stochastic depth. */
  #branches(draw: number): Feed[] {
    if (this.#survival.length === 0) return [];
    const there = Int32Array.from(survivors(this.#survival, this.#seed, draw));
    return [{ name: FEED.branches, shape: [there.length], data: there }];
  }

  async predict(images: Float32Array): Promise<Float32Array> {
    const feed = this.#images(images);
    const fetch = this.#way(FETCH.logits, feed.shape[0]!);
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

  #images(images: Float32Array): Feed {
    const { channels, height, width } = this.#network.input;
    const count = images.length / (channels * height * width);
    const data =
      imageType(this.#use.form) === 'float'
        ? images
        : new Int32Array(images.buffer, images.byteOffset, images.length);
    return { name: FEED.images, shape: [count, channels, height, width], data };
  }
}
