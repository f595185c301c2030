import { BN_EPSILON, type Network } from '../../networks/network.js';
import type { ProtobufMessage } from '../../util/protobuf.js';
import { type Attributes, nodeMessage } from './messages.js';

/** Names of the graph's input and output. */
export const INPUT = 'images';
export const OUTPUT = 'logits';

interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

/**
 * The operators of a network in evaluation mode, from `INPUT` to `OUTPUT`. Batch normalisation stays an operator of
 * its own, so that every weight keeps its name; runtimes fold it into a convolution before it themselves.
 * Weights are read under the names of `parameters(network)`; every other value bears the name of what makes it.
 */
export function networkNodes(network: Network): ProtobufMessage[] {
  const nodes = new Nodes();
  let x = INPUT;
  let blocks = 0;
  let transitions = 0;
  for (const stage of network.stages) {
    switch (stage.kind) {
      case 'convolution':
        x = nodes.convolution('features.conv0', x, stage);
        if (stage.normalized) x = nodes.normRelu('features.norm0', x);
        break;
      case 'maxPooling':
        x = nodes.add('MaxPool', 'features.pool0', [x], windowAttributes(stage));
        break;
      case 'denseBlock': {
        const block = `features.denseblock${++blocks}`;
        for (let number = 1; number <= stage.layers; number++) {
          const layer = `${block}.denselayer${number}`;
          let y = nodes.normRelu(`${layer}.norm1`, x);
          y = nodes.convolution(`${layer}.conv1`, y, stage.bottleneck ? POINT : SQUARE);
          if (stage.bottleneck) {
            y = nodes.normRelu(`${layer}.norm2`, y);
            y = nodes.convolution(`${layer}.conv2`, y, SQUARE);
          }
          x = nodes.add('Concat', `${layer}.concatenation`, [x, y], { axis: { int: 1 } });
        }
        break;
      }
      case 'transition': {
        const transition = `features.transition${++transitions}`;
        x = nodes.normRelu(`${transition}.norm`, x);
        x = nodes.convolution(`${transition}.conv`, x, POINT);
        x = nodes.add('AveragePool', `${transition}.pool`, [x], windowAttributes(HALVE));
        break;
      }
      case 'classifier':
        nodes.classifier('classifier', nodes.normRelu('features.norm5', x));
        break;
    }
  }
  return nodes.list;
}

const POINT: Window = { kernel: 1, stride: 1, padding: 0 };
const SQUARE: Window = { kernel: 3, stride: 1, padding: 1 };
const HALVE: Window = { kernel: 2, stride: 2, padding: 0 };

class Nodes {
  readonly list: ProtobufMessage[] = [];

  /** Adds a node and returns its output. */
  add(op: string, name: string, inputs: readonly string[], attributes: Attributes = {}): string {
    this.list.push(nodeMessage(op, name, inputs, attributes));
    return name;
  }

  convolution(name: string, input: string, window: Window): string {
    return this.add('Conv', name, [input, `${name}.weight`], windowAttributes(window));
  }

  norm(name: string, input: string): string {
    const weights = ['weight', 'bias', 'running_mean', 'running_var'].map((part) => `${name}.${part}`);
    return this.add('BatchNormalization', name, [input, ...weights], { epsilon: { float: BN_EPSILON } });
  }

  normRelu(name: string, input: string): string {
    return this.add('Relu', `${name}.relu`, [this.norm(name, input)]);
  }

  /** Global average pooling and the fully connected layer `name`. */
  classifier(name: string, input: string): string {
    const pooled = this.add('GlobalAveragePool', `${name}.pool`, [input]);
    const flat = this.add('Flatten', `${name}.flatten`, [pooled]);
    const weights = [`${name}.weight`, `${name}.bias`];
    return this.add('Gemm', OUTPUT, [flat, ...weights], { transB: { int: 1 } });
  }
}

function windowAttributes({ kernel, stride, padding }: Window): Attributes {
  return {
    kernel_shape: { ints: [kernel, kernel] },
    strides: { ints: [stride, stride] },
    pads: { ints: [padding, padding, padding, padding] },
  };
}
