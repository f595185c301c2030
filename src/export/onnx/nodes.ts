import { type EvaluationOps, evaluationPass, type Window } from '../../networks/evaluation.js';
import { BN_EPSILON, type Network } from '../../networks/network.js';
import type { ProtobufMessage } from '../../util/protobuf.js';
import { type Attributes, nodeMessage } from './messages.js';

/** Names of the graph's input and output. */
export const INPUT = 'images';
export const OUTPUT = 'logits';

/**
 * The operators of a network in evaluation mode, from `INPUT` to `OUTPUT`. Batch normalisation stays an operator of
 * its own, so that every weight keeps its name; runtimes fold it into a convolution before it themselves.
 * Weights are read under the names of `parameters(network)`; every other value has the name of what makes it.
 */
export function networkNodes(network: Network): ProtobufMessage[] {
  const nodes = new Nodes();
  evaluationPass(network, INPUT, nodes);
  return nodes.list;
}

/** Values are known by their names. */
class Nodes implements EvaluationOps<string> {
  readonly list: ProtobufMessage[] = [];

  convolution(name: string, x: string, window: Window): string {
    return this.#add('Conv', name, [x, `${name}.weight`], windowAttributes(window));
  }

  norm(name: string, x: string): string {
    const weights = ['weight', 'bias', 'running_mean', 'running_var'].map((part) => `${name}.${part}`);
    return this.#add('BatchNormalization', name, [x, ...weights], { epsilon: { float: BN_EPSILON } });
  }

  relu(name: string, x: string): string {
    return this.#add('Relu', name, [x]);
  }

  maxPool(name: string, x: string, window: Window): string {
    return this.#add('MaxPool', name, [x], windowAttributes(window));
  }

  averagePool(name: string, x: string, window: Window): string {
    return this.#add('AveragePool', name, [x], windowAttributes(window));
  }

  concatenate(name: string, a: string, b: string): string {
    return this.#add('Concat', name, [a, b], { axis: { int: 1 } });
  }

  add(name: string, a: string, b: string): string {
    return this.#add('Add', name, [a, b]);
  }

  expectation(name: string, x: string, survival: number): string {
    const probability = this.#constant(`${name}.survival`, { value_float: { float: survival } });
    return this.#add('Mul', `${name}.expectation`, [x, probability]);
  }

  subsampleAndPad(name: string, x: string, stride: number, channels: number): string {
    const picked = this.averagePool(`${name}.pick`, x, { kernel: 1, stride, padding: 0 });
    // Values before and after, for each of N, C, H, W.
    const padding = [0, 0, 0, 0, 0, channels, 0, 0];
    const pads = this.#constant(`${name}.padding`, { value_ints: { ints: padding } });
    return this.#add('Pad', `${name}.pad`, [picked, pads]);
  }

  classify(name: string, x: string): string {
    const pooled = this.#add('GlobalAveragePool', `${name}.pool`, [x]);
    const flat = this.#add('Flatten', `${name}.flatten`, [pooled]);
    const weights = [`${name}.weight`, `${name}.bias`];
    return this.#add('Gemm', OUTPUT, [flat, ...weights], { transB: { int: 1 } });
  }

  #constant(name: string, value: Attributes): string {
    return this.#add('Constant', name, [], value);
  }

  /** Adds a node and returns its output. */
  #add(op: string, name: string, inputs: readonly string[], attributes: Attributes = {}): string {
    this.list.push(nodeMessage(op, name, inputs, attributes));
    return name;
  }
}

function windowAttributes({ kernel, stride, padding }: Window): Attributes {
  return {
    kernel_shape: { ints: [kernel, kernel] },
    strides: { ints: [stride, stride] },
    pads: { ints: [padding, padding, padding, padding] },
  };
}
