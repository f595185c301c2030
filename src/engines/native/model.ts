import type { Network } from '../../networks/network.js';
import { elementCount, isTrainable, type Parameter, parameters } from '../../networks/parameters.js';
import { survivalProbabilities, survivors } from '../../networks/residual.js';
import { key, PURPOSE } from '../../util/random.js';
import type { Tensor } from '../../util/tensor.js';
import {
  type Batch,
  type Contribution,
  type MicroBatch,
  type Model,
  type ModelOptions,
  type ModelState,
  microBatches,
  type ProfileEntry,
  type TrainResult,
  type TrainStep,
} from '../engine.js';
import type { NativeBinding, NativeHandle } from './binding.js';
import { flatDescription } from './description.js';

/** A network on the CPU. Its tensors lie in one array, in the order of `parameters(network)`. */
export class NativeModel implements Model {
  readonly #binding: NativeBinding;
  readonly #handle: NativeHandle;
  readonly #options: ModelOptions;
  readonly #parameters: readonly Parameter[];
  /** Of each residual unit; empty without stochastic depth. */
  readonly #survival: readonly number[];
  readonly #classes: number;
  readonly #imageSize: number;
  readonly #size: number;
  readonly contributionSize: Model['contributionSize'];

  constructor(binding: NativeBinding, pool: NativeHandle, network: Network, options: ModelOptions) {
    this.#binding = binding;
    this.#options = options;
    this.#parameters = parameters(network);
    this.#survival = survivalProbabilities(network);
    this.#classes = network.classes;
    this.#imageSize = network.input.channels * network.input.height * network.input.width;
    const { memoryEfficient, precision } = options;
    const description = flatDescription(network);
    this.#handle = binding.createModel(pool, description, memoryEfficient, precision === 'bfloat16');
    this.#size = binding.parameterCount(this.#handle);
    const [gradient, statistics] = binding.contributionSize(this.#handle);
    this.contributionSize = { gradient, statistics };
    const expected = this.#parameters.reduce((sum, { shape }) => sum + elementCount(shape), 0);
    if (this.#size !== expected) throw new Error(`native model has ${this.#size} values, not ${expected}`);
  }

  async train({ images, labels }: Batch, step: TrainStep): Promise<TrainResult> {
    const random = this.#random(microBatches(labels.length, step).map(({ draw }) => draw));
    return this.#binding.train(this.#handle, images, labels, this.#optimizer(step), ...random);
  }

  async contribute(
    batch: Batch,
    { begin, end, draw, stepImages }: MicroBatch & { readonly stepImages: number },
    { gradient, statistics }: Contribution,
  ): Promise<TrainResult> {
    const random = this.#random([draw]);
    const images = batch.images.subarray(begin * this.#imageSize, end * this.#imageSize);
    const labels = batch.labels.subarray(begin, end);
    return this.#binding.gradient(this.#handle, images, labels, stepImages, ...random, gradient, statistics);
  }

  async apply(
    { gradient, statistics }: Contribution,
    step: { readonly learningRate: number; readonly draws: readonly number[] },
  ): Promise<void> {
    const random = this.#random(step.draws);
    await this.#binding.apply(this.#handle, this.#optimizer(step), gradient, statistics, ...random);
  }

  /** As the binding takes it. */
  #optimizer({ learningRate }: { readonly learningRate: number }): Float64Array {
    const { momentum, weightDecay, nesterov } = this.#options.optimizer;
    return Float64Array.of(learningRate, momentum, weightDecay, Number(nesterov));
  }

  /** Keys of the dropout masks of micro-batches, and which branches are there. */
  #random(draws: readonly number[]): [keys: Uint32Array, survivors: Uint8Array] {
    const { seed } = this.#options;
    return [
      Uint32Array.from(draws.flatMap((draw) => key(seed, PURPOSE.dropout, draw))),
      Uint8Array.from(draws.flatMap((draw) => [...survivors(this.#survival, seed, draw)])),
    ];
  }

  async predict(images: Float32Array): Promise<Float32Array> {
    const logits = new Float32Array((images.length / this.#imageSize) * this.#classes);
    await this.#binding.predict(this.#handle, images, logits);
    return logits;
  }

  async exportState(): Promise<ModelState> {
    const values = new Float32Array(this.#size);
    const velocities = new Float32Array(this.#size);
    this.#binding.readState(this.#handle, values, velocities);
    const weights = new Map<string, Tensor>();
    const momentum = new Map<string, Tensor>();
    for (const { parameter, begin, end } of this.#ranges()) {
      const { name, shape } = parameter;
      weights.set(name, { shape, data: values.slice(begin, end) });
      if (isTrainable(parameter)) momentum.set(name, { shape, data: velocities.slice(begin, end) });
    }
    return { weights, momentum };
  }

  async importState({ weights, momentum }: ModelState): Promise<void> {
    const values = new Float32Array(this.#size);
    const velocities = new Float32Array(this.#size);
    for (const { parameter, begin } of this.#ranges()) {
      values.set(weights.get(parameter.name)!.data, begin);
      if (isTrainable(parameter)) velocities.set(momentum.get(parameter.name)!.data, begin);
    }
    this.#binding.writeState(this.#handle, values, velocities);
  }

  profile(): ProfileEntry[] {
    return this.#binding
      .takeProfile(this.#handle)
      .map(([stage, pass, seconds, operations]) => ({ stage, pass, seconds, operations }));
  }

  async dispose(): Promise<void> {
    this.#binding.releaseModel(this.#handle);
  }

  *#ranges(): Generator<{ parameter: Parameter; begin: number; end: number }> {
    let begin = 0;
    for (const parameter of this.#parameters) {
      const end = begin + elementCount(parameter.shape);
      yield { parameter, begin, end };
      begin = end;
    }
  }
}
