import type { Batch, OptimizerOptions } from '../../src/engines/engine.js';
import type { Network } from '../../src/networks/network.js';
import { isTrainable, parameters } from '../../src/networks/parameters.js';
import type { NamedTensors } from '../../src/util/tensor.js';
import { countCorrect, crossEntropy } from './classifier.js';
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
  ) {
    this.values = toValues(weights);
    this.momentum = new Map(
      parameters(network)
        .filter(isTrainable)
        .map(({ name }) => [name, new Float64Array(this.values.get(name)!.data.length)]),
    );
  }

  /** One optimiser step. `masks` are needed only where the network has dropout, `branches` only with stochastic depth. */
  train(
    batch: Batch,
    learningRate: number,
    optimizer: OptimizerOptions,
    masks: Masks = refuse,
    branches: Branches = refuseBranches,
  ): ReferenceResult {
    for (const { gradient } of this.values.values()) gradient.fill(0);
    const tape = new Tape();
    const logits = forward(tape, this.network, this.values, batch.images, masks, branches);
    const loss = crossEntropy(tape, logits, batch.labels);
    tape.backward(loss);
    const gradients = new Map(
      [...this.momentum.keys()].map((name) => [name, this.values.get(name)!.gradient.slice()]),
    );
    for (const [name, momentum] of this.momentum)
      sgd(this.values.get(name)!, momentum, learningRate, optimizer);
    const correct = countCorrect(logits.data, batch.labels);
    return { loss: loss.data[0]!, correct, gradients, nearestKink: tape.nearestKink };
  }

  /** Logits [N, classes] in evaluation mode. */
  predict(images: ArrayLike<number>): Float64Array {
    return predict(this.network, this.values, images);
  }
}

const refuse: Masks = (name) => {
  throw new Error(`${name} has dropout, but no masks were given`);
};

const refuseBranches: Branches = (unit) => {
  throw new Error(`unit ${unit} has stochastic depth, but no branches were given`);
};
