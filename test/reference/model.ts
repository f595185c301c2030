import type { Batch, OptimizerOptions } from '../../src/engines/engine.js';
import type { Network } from '../../src/networks/network.js';
import { isTrainable, parameters } from '../../src/networks/parameters.js';
import type { NamedTensors } from '../../src/util/tensor.js';
import { countCorrect, crossEntropy } from './classifier.js';
import { exact, type Rounding } from './convolution.js';
import { type Branches, forward, type Masks, predict, toValues, type Values } from './network.js';
import { sgd } from './sgd.js';
import { Tape } from './tape.js';

export interface ReferenceResult {
  /** Mean cross-entropy before the update. */
  readonly loss: number;
  readonly correct: number;
  /** Of every trainable parameter, without weight decay. */
  readonly gradients: ReadonlyMap<string, Float64Array>;
  /** See `Tape.nearestKink`. */
  readonly nearestKink: number;
}

/** The definition of what an engine's model does. */
export class ReferenceModel {
  readonly values: Values;
  readonly momentum: ReadonlyMap<string, Float64Array>;

  constructor(
    private readonly network: Network,
    weights: NamedTensors,
    private readonly round: Rounding = exact,
  ) {
    this.values = toValues(weights);
    this.momentum = new Map(
      parameters(network)
        .filter(isTrainable)
        .map(({ name }) => [name, new Float64Array(this.values.get(name)!.data.length)]),
    );
  }

  /**
   * One optimiser step. `masks` are needed only where the network has dropout, `branches` only with stochastic depth.
   */
  train(
    batch: Batch,
    learningRate: number,
    optimizer: OptimizerOptions,
    masks: Masks = refuse,
    branches: Branches = refuseBranches,
  ): ReferenceResult {
    return this.trainParts([batch], learningRate, optimizer, masks, () => branches);
  }

  /**
   * One optimiser step on the mean loss of all parts' images, where each part goes through the network alone, in
   * their order (gradient accumulation), and has branches of its own.
   */
  trainParts(
    parts: readonly Batch[],
    learningRate: number,
    optimizer: OptimizerOptions,
    masks: Masks = refuse,
    branchesOf: (part: number) => Branches = () => refuseBranches,
  ): ReferenceResult {
    for (const { gradient } of this.values.values()) gradient.fill(0);
    const images = parts.reduce((sum, { labels }) => sum + labels.length, 0);
    let mean = 0;
    let correct = 0;
    let nearestKink = Number.POSITIVE_INFINITY;
    for (const [index, part] of parts.entries()) {
      const share = part.labels.length / images;
      const tape = new Tape();
      const branches = branchesOf(index);
      const logits = forward(tape, this.network, this.values, part.images, masks, branches, this.round);
      const loss = crossEntropy(tape, logits, part.labels);
      tape.backward(loss, share);
      mean += share * loss.data[0]!;
      correct += countCorrect(logits.data, part.labels);
      nearestKink = Math.min(nearestKink, tape.nearestKink);
    }
    const gradients = new Map(
      [...this.momentum.keys()].map((name) => [name, this.values.get(name)!.gradient.slice()]),
    );
    for (const [name, momentum] of this.momentum)
      sgd(this.values.get(name)!, momentum, learningRate, optimizer);
    return { loss: mean, correct, gradients, nearestKink };
  }

  /** Logits [N, classes] in evaluation mode. */
  predict(images: ArrayLike<number>): Float64Array {
    return predict(this.network, this.values, images, this.round);
  }
}

const refuse: Masks = (name) => {
  throw new Error(`${name} has dropout, but no masks were given`);
};

const refuseBranches: Branches = (unit) => {
  throw new Error(`unit ${unit} has stochastic depth, but no branches were given`);
};
