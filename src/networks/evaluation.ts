import { denseLayers } from './dense-block.js';
import { outerNames } from './names.js';
import type { Network } from './network.js';
import { type ResidualUnit, residualUnits } from './residual.js';
import { stageShapes } from './stages.js';

/** How a window slides over feature maps. */
export interface Window {
  readonly kernel: number;
  readonly stride: number;
  /** Rows and columns around the maps: zeros, but −∞ for max pooling. */
  readonly padding: number;
}

/**
 * What a network in evaluation mode is made of; `T` is whatever stands for feature maps. A `name` is the beginning of
 * the names of the tensors that are read or, where none are, names what is made.
 */
export interface EvaluationOps<T> {
  convolution(name: string, x: T, window: Window): T;
  /** Batch normalisation by the running statistics. */
  norm(name: string, x: T): T;
  relu(name: string, x: T): T;
  maxPool(name: string, x: T, window: Window): T;
  averagePool(name: string, x: T, window: Window): T;
  /** Along the channels. */
  concatenate(name: string, a: T, b: T): T;
  add(name: string, a: T, b: T): T;
  /** Multiplies by the probability that the branch `x` of the unit `name` is there in training. */
  expectation(name: string, x: T, survival: number): T;
  /** Every `stride`-th row and column of `x`, and zeros as further channels. */
  subsampleAndPad(name: string, x: T, stride: number, channels: number): T;
  /** Global average pooling and the fully connected layer. */
  classify(name: string, x: T): T;
}

const POINT: Window = { kernel: 1, stride: 1, padding: 0 };
const HALVE: Window = { kernel: 2, stride: 2, padding: 0 };

/** Takes images through a network in evaluation mode; returns the logits. */
export function evaluationPass<T>(network: Network, images: T, ops: EvaluationOps<T>): T {
  const norms = outerNames(network);
  let x = images;
  for (const { stage, name, input } of stageShapes(network)) {
    switch (stage.kind) {
      case 'convolution':
        x = ops.convolution(name, x, stage);
        if (stage.normalized) x = normRelu(ops, norms.norm, x);
        break;
      case 'maxPooling':
        x = ops.maxPool(name, x, stage);
        break;
      case 'denseBlock':
        for (const { name: layer, convolutions } of denseLayers(stage, input, name)) {
          let y = x;
          for (const one of convolutions) y = ops.convolution(one.name, normRelu(ops, one.norm, y), one);
          x = ops.concatenate(`${layer}.concatenation`, x, y);
        }
        break;
      case 'transition':
        x = ops.convolution(`${name}.conv`, normRelu(ops, `${name}.norm`, x), POINT);
        x = ops.averagePool(`${name}.pool`, x, HALVE);
        break;
      case 'residualStage':
        for (const unit of residualUnits(stage, input, name)) x = residualUnit(ops, unit, x);
        break;
      case 'classifier':
        x = ops.classify(name, stage.normalized ? normRelu(ops, norms.lastNorm, x) : x);
        break;
    }
  }
  return x;
}

function normRelu<T>(ops: EvaluationOps<T>, name: string, x: T): T {
  return ops.relu(`${name}.relu`, ops.norm(name, x));
}

/** y = shortcut + F(x) before activation, ReLU(shortcut + F(x)) after it (He et al. 2016b and 2016a). */
function residualUnit<T>(ops: EvaluationOps<T>, unit: ResidualUnit, x: T): T {
  const { name, activation, convolutions, survival } = unit;
  const pre = activation === 'pre';
  const read = pre ? normRelu(ops, convolutions[0]!.norm, x) : x;
  const around = shortcut(ops, unit, x, read);
  let y = read;
  for (const [index, convolution] of convolutions.entries()) {
    if (pre && index > 0) y = normRelu(ops, convolution.norm, y);
    y = ops.convolution(convolution.name, y, convolution);
    if (pre) continue;
    const last = index === convolutions.length - 1;
    y = last ? ops.norm(convolution.norm, y) : normRelu(ops, convolution.norm, y);
  }
  if (survival < 1) y = ops.expectation(name, y, survival);
  const sum = ops.add(`${name}.sum`, around, y);
  return pre ? sum : ops.relu(`${name}.relu`, sum);
}

/** What a unit adds its branch to; `read` is what the branch's first convolution reads. See `ResidualUnit`. */
function shortcut<T>(ops: EvaluationOps<T>, unit: ResidualUnit, x: T, read: T): T {
  const { activation, projection, stride, input, output } = unit;
  switch (unit.shortcut) {
    case 'identity':
      return x;
    case 'projection': {
      const y = ops.convolution(projection.name, read, { ...POINT, stride });
      return activation === 'post' ? ops.norm(projection.norm, y) : y;
    }
    case 'padding':
      return ops.subsampleAndPad(projection.name, x, stride, output.channels - input.channels);
  }
}
