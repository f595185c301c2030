import { outerNames } from '../../networks/names.js';
import { BN_EPSILON, type Network, stageShapes } from '../../networks/network.js';
import { type ResidualUnit, residualUnits } from '../../networks/residual.js';
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
  const names = outerNames(network);
  let x = INPUT;
  let blocks = 0;
  let transitions = 0;
  let residualStages = 0;
  for (const { stage, input } of stageShapes(network)) {
    switch (stage.kind) {
      case 'convolution':
        x = nodes.convolution(names.convolution, x, stage);
        if (stage.normalized) x = nodes.normRelu(names.norm, x);
        break;
      case 'maxPooling':
        x = nodes.add('MaxPool', 'pool', [x], windowAttributes(stage));
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
      case 'residualStage':
        for (const unit of residualUnits(stage, input, ++residualStages)) x = residualUnit(nodes, unit, x);
        break;
      case 'classifier':
        if (stage.normalized) x = nodes.normRelu(names.lastNorm, x);
        nodes.classifier(names.classifier, x);
        break;
    }
  }
  return nodes.list;
}

/** y = shortcut + F(x) before activation, ReLU(shortcut + F(x)) after it (He et al. 2016b and 2016a). */
function residualUnit(nodes: Nodes, unit: ResidualUnit, x: string): string {
  const { activation, convolutions, survival } = unit;
  const first = convolutions[0]!;
  const name = first.name.replace(/\.conv1$/, '');
  const read = activation === 'pre' ? nodes.normRelu(first.norm, x) : x;
  const around = residualShortcut(nodes, unit, x, read);
  let y = read;
  convolutions.forEach((convolution, index) => {
    if (activation === 'pre' && index > 0) y = nodes.normRelu(convolution.norm, y);
    y = nodes.convolution(convolution.name, y, convolution);
    if (activation === 'pre') return;
    const last = index === convolutions.length - 1;
    y = last ? nodes.norm(convolution.norm, y) : nodes.normRelu(convolution.norm, y);
  });
  if (survival < 1) {
    const probability = nodes.constant(`${name}.survival`, { value_float: { float: survival } });
    y = nodes.add('Mul', `${name}.expectation`, [y, probability]);
  }
  const sum = nodes.add('Add', `${name}.sum`, [around, y]);
  return activation === 'post' ? nodes.add('Relu', `${name}.relu`, [sum]) : sum;
}

/** What a unit adds its branch to; `read` is what the branch's first convolution reads. See `ResidualUnit`. */
function residualShortcut(nodes: Nodes, unit: ResidualUnit, x: string, read: string): string {
  const { activation, shortcut, projection, stride, input, output } = unit;
  switch (shortcut) {
    case 'identity':
      return x;
    case 'projection': {
      const y = nodes.convolution(projection.name, read, { ...POINT, stride });
      return activation === 'post' ? nodes.norm(projection.norm, y) : y;
    }
    case 'padding': {
      const name = projection.name;
      const picked = nodes.add('AveragePool', `${name}.pick`, [x], windowAttributes({ ...POINT, stride }));
      // Values before and after, for each of N, C, H, W.
      const padding = [0, 0, 0, 0, 0, output.channels - input.channels, 0, 0];
      const pads = nodes.constant(`${name}.padding`, { value_ints: { ints: padding } });
      return nodes.add('Pad', `${name}.pad`, [picked, pads]);
    }
  }
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

  constant(name: string, value: Attributes): string {
    return this.add('Constant', name, [], value);
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
