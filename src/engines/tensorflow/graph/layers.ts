import type { Output } from './builder.js';
import { type TrainingContext, weight } from './context.js';
import {
  type Deferred,
  type FeatureMaps,
  type MapGradient,
  type MeasuredMaps,
  measure,
  resolve,
  valuesPerChannel,
} from './features.js';
import type { MapShape } from './ops.js';

/** A stride-1 convolution that keeps the size. `backward` takes its input again, which may be a recomputed one. */
export function convolution(
  context: TrainingContext,
  name: string,
  x: Output,
  input: MapShape,
  outputChannels: number,
  kernel: number,
) {
  const { graph, ops, gradients, memoryEfficient } = context;
  const filter = weight(context, `${name}.weight`);
  return {
    y: ops.convolution(x, filter, 1, 'SAME'),
    backward(dy: Output, x: Output): Output {
      const filterShape = [kernel, kernel, input.channels, outputChannels];
      const dFilter = ops.convolutionFilter(x, filterShape, dy, 1, 'SAME');
      gradients.set(`${name}.weight`, dFilter);
      // Nothing else waits for dFilter: it could run late, and x and dy would be kept till then.
      return graph.after(memoryEfficient ? [dFilter] : [], () => ops.convolutionInput(input, filter, dy));
    },
  };
}

/** Inverted dropout: a value is 0 with the given probability, else divided by the chance that it stays. */
export function dropout(context: TrainingContext, x: Output, shape: MapShape, probability: number) {
  if (probability === 0) return { y: x, backward: (dy: Output) => dy };
  const { graph, ops } = context;
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
  return { y: apply(x), backward: apply };
}

/** BN-ReLU of maps that nothing else reads. */
export function normReluOnce(context: TrainingContext, name: string, x: Output) {
  const { ops, gradients, batchStatistics, memoryEfficient } = context;
  const gamma = weight(context, `${name}.weight`);
  const beta = weight(context, `${name}.bias`);
  const [y, mean, unbiased, ...reserve] = ops.normalizeBatch(x, gamma, beta) as [
    Output,
    Output,
    Output,
    ...Output[],
  ];
  batchStatistics.set(`${name}.running_mean`, mean).set(`${name}.running_var`, unbiased);
  const z = ops.unary('Relu', y);
  return {
    z,
    /** The same value as `z`; computed again once `gradient` is there, if memory is to be saved. */
    recall(gradient: Output): Output {
      if (!memoryEfficient) return z;
      return ops.unary('Relu', ops.normalizeBatch(ops.delay(x, [gradient]), gamma, beta)[0]!);
    },
    backward(dz: Output, z: Output): Output {
      const dy = ops.reluGradient(dz, z);
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
  const own: MeasuredMaps = { ...maps, statistics: measure(ops, maps.x, maps.shape.channels, count) };
  const settle = (gradient: MapGradient) => ({ direct: resolve(ops, gradient, own, count) });
  return { maps: own, count, settle };
}
