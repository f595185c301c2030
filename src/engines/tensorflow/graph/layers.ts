import type { Output } from './builder.js';
import { type TrainingContext, weight } from './context.js';
import {
  batchStatistics,
  type Deferred,
  type FeatureMaps,
  type MapGradient,
  type MeasuredMaps,
  resolve,
  valuesPerChannel,
} from './features.js';
import type { MapShape } from './ops.js';

/** Something written forwards, from x to y. */
export interface GraphLayer {
  readonly y: Output;
  /** From the gradient of y to that of x. `x` is given again, for it may be a recomputed one. */
  backward(dy: Output, x: Output): Output;
}

/**
 * A convolution with (kernel − 1)/2 rows and columns of zeros around its input: at stride 1 it keeps the size. A 1×1
 * convolution with a stride is one without, of every stride-th row and column: of the other, TensorFlow computes
 * wrong filter gradients on CPUs.
 */
export function convolution(
  context: TrainingContext,
  name: string,
  x: Output,
  input: MapShape,
  outputChannels: number,
  kernel: number,
  stride = 1,
): GraphLayer {
  if (kernel > 1 || stride === 1)
    return paddedConvolution(context, name, x, input, outputChannels, kernel, stride);
  const { ops } = context;
  const { height, width, channels } = input;
  const fewer = { height: Math.ceil(height / stride), width: Math.ceil(width / stride), channels };
  const pointwise = paddedConvolution(context, name, ops.subsample(x, stride), fewer, outputChannels, 1, 1);
  return {
    y: pointwise.y,
    backward(dy, x) {
      const dFewer = pointwise.backward(dy, ops.subsample(x, stride));
      return ops.subsampleGradient(input, dFewer, stride);
    },
  };
}

function paddedConvolution(
  context: TrainingContext,
  name: string,
  x: Output,
  input: MapShape,
  outputChannels: number,
  kernel: number,
  stride: number,
): GraphLayer {
  const { graph, ops, gradients, memoryEfficient } = context;
  const filter = weight(context, `${name}.weight`);
  // With a stride, SAME would pad after the last row and column only.
  const border = stride === 1 ? 0 : (kernel - 1) / 2;
  const padding = stride === 1 ? 'SAME' : 'VALID';
  const { height, width, channels } = input;
  const padded = { height: height + 2 * border, width: width + 2 * border, channels };
  return {
    y: ops.convolution(ops.pad(x, border, 0), filter, stride, padding),
    backward(dy, x) {
      const filterShape = [kernel, kernel, channels, outputChannels];
      const dFilter = ops.convolutionFilter(ops.pad(x, border, 0), filterShape, dy, stride, padding);
      gradients.set(`${name}.weight`, dFilter);
      // Nothing else waits for dFilter: it could run late, and x and dy would be kept till then.
      const dPadded = graph.after(memoryEfficient ? [dFilter] : [], () =>
        ops.convolutionInput(padded, filter, dy, stride, padding),
      );
      return ops.crop(dPadded, border, input);
    },
  };
}

/** Inverted dropout: a value is 0 with the given probability, else divided by the chance that it stays. */
export function dropout(context: TrainingContext, x: Output, shape: MapShape, probability: number) {
  const same = (values: Output) => values;
  if (probability === 0) return { y: x, recall: same, backward: same };
  const { graph, ops, memoryEfficient } = context;
  const uniform = graph.add('StatelessRandomUniform', [ops.shape(shape), context.nextDropoutKey()], {
    dtype: { type: 'float' },
    T: { type: 'int32' },
    Tseed: { type: 'int32' },
  });
  const kept = graph.add('GreaterEqual', [uniform, graph.floats([probability], [])], {
    T: { type: 'float' },
  });
  const apply = (values: Output) => {
    const mask = graph.add('Cast', [kept], { SrcT: { type: 'bool' }, DstT: { type: 'float' } });
    return ops.binary('Mul', values, ops.scale(mask, 1 / (1 - probability)));
  };
  const y = apply(x);
  return {
    y,
    /** The same value as `y`; computed again from `x`, if memory is to be saved. */
    recall: (x: Output) => (memoryEfficient ? apply(x) : y),
    backward: apply,
  };
}

/** BN of maps that no other BN reads. */
export function normOnce(context: TrainingContext, name: string, x: Output) {
  const { ops, gradients, batchStatistics } = context;
  const gamma = weight(context, `${name}.weight`);
  const beta = weight(context, `${name}.bias`);
  const [y, mean, unbiased, ...reserve] = ops.normalizeBatch(x, gamma, beta) as [
    Output,
    Output,
    Output,
    ...Output[],
  ];
  batchStatistics.set(`${name}.running_mean`, mean).set(`${name}.running_var`, unbiased);
  return {
    y,
    /** The same value as `y`, computed again once `gradient` is there. */
    again: (gradient: Output) => ops.normalizeBatch(ops.delay(x, [gradient]), gamma, beta)[0]!,
    backward(dy: Output): Output {
      const [dx, dGamma, dBeta] = ops.normalizationGradient(dy, x, gamma, reserve) as [
        Output,
        Output,
        Output,
      ];
      gradients.set(`${name}.weight`, dGamma).set(`${name}.bias`, dBeta);
      return dx;
    },
  };
}

/** BN-ReLU of maps that no other BN reads. */
export function normReluOnce(context: TrainingContext, name: string, x: Output) {
  const { ops, memoryEfficient } = context;
  const norm = normOnce(context, name, x);
  const z = ops.unary('Relu', norm.y);
  return {
    z,
    /** The same value as `z`; computed again once `gradient` is there, if memory is to be saved. */
    recall: (gradient: Output) => (memoryEfficient ? ops.unary('Relu', norm.again(gradient)) : z),
    backward: (dz: Output, z: Output) => norm.backward(ops.reluGradient(dz, z)),
  };
}

/** BN-ReLU of maps that others read too. */
export function normReluShared(context: TrainingContext, name: string, maps: MeasuredMaps) {
  const { ops, gradients, batchStatistics, memoryEfficient } = context;
  const gamma = weight(context, `${name}.weight`);
  const beta = weight(context, `${name}.bias`);
  const { mean, variance, unbiased } = maps.statistics;
  batchStatistics.set(`${name}.running_mean`, mean).set(`${name}.running_var`, unbiased);
  const apply = (x: Output) => ops.unary('Relu', ops.normalize(x, gamma, beta, mean, variance));
  const z = apply(maps.x);
  return {
    z,
    /** The same value as `z`; computed again from `x` once `gradient` is there, if memory is to be saved. */
    recall: (gradient: Output, x: Output): Output => (memoryEfficient ? apply(ops.delay(x, [gradient])) : z),
    backward(dz: Output, z: Output, x: Output): MapGradient & { deferred: Deferred } {
      const dy = ops.reluGradient(dz, z);
      const gradient = ops.normalizationGradient(dy, x, gamma, [mean, variance]);
      const [direct, dGamma, dBeta] = gradient as [Output, Output, Output];
      gradients.set(`${name}.weight`, dGamma).set(`${name}.bias`, dBeta);
      const deferred = { beta: ops.binary('Mul', gamma, dBeta), gamma: ops.binary('Mul', gamma, dGamma) };
      return { direct, deferred };
    },
  };
}

/** Statistics of maps for a stage that reads them, and the gradient to hand to the stage that made them. */
export function measured(context: TrainingContext, maps: FeatureMaps) {
  const { ops } = context;
  const count = valuesPerChannel(ops, maps.shape);
  const { statistics } = maps;
  if (statistics)
    return { maps: { ...maps, statistics }, count, settle: (gradient: MapGradient) => gradient };
  const own: MeasuredMaps = { ...maps, statistics: batchStatistics(ops, maps.x, maps.shape.channels, count) };
  const settle = (gradient: MapGradient) => ({ direct: resolve(ops, gradient, own, count) });
  return { maps: own, count, settle };
}
