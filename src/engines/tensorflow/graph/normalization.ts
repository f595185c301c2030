import type { Output } from './builder.js';
import { type TrainingContext, weight } from './context.js';
import {
  batchStatistics,
  type Deferred,
  type FeatureMaps,
  fusedStatistics,
  type MapGradient,
  type MeasuredMaps,
  resolve,
  valuesPerChannel,
} from './features.js';
import type { MapShape } from './ops.js';

/** A batch normalisation that computes the statistics of its x itself. */
interface Normalized {
  readonly y: Output;
  readonly mean: Output;
  readonly unbiased: Output;
  /** What the gradient reads. */
  readonly reserve: readonly Output[];
  /** y anew. */
  again(x: Output): Output;
}

/** By one kernel. Where M may be 1, cuDNN divides the variance by M − 1 = 0; of one value it is 0. */
function normalizeFused(
  { form, ops, maps }: TrainingContext,
  x: Output,
  shape: MapShape,
  gamma: Output,
  beta: Output,
): Normalized {
  const apply = (x: Output) => maps.normalizeBatch(x, gamma, beta) as [Output, Output, Output, ...Output[]];
  const [y, mean, variance, ...reserve] = apply(x);
  const normalized = { y, mean, unbiased: variance, reserve, again: (x: Output) => apply(x)[0] };
  if (form === 'cpu' || shape.height * shape.width > 1) return normalized;
  const others = ops.binary('Sub', valuesPerChannel(ops, shape), ops.constant(1));
  const some = ops.binary('Minimum', others, ops.constant(1));
  return { ...normalized, unbiased: ops.binary('MulNoNan', variance, some) };
}

/** On a CPU, where the fused kernel would not be exact enough: the statistics come first. */
function normalizeMeasured(
  context: TrainingContext,
  x: Output,
  shape: MapShape,
  gamma: Output,
  beta: Output,
): Normalized {
  const count = valuesPerChannel(context.ops, shape);
  const { mean, variance, unbiased } = batchStatistics(context, x, shape, count);
  const again = (x: Output) => context.maps.normalize(x, gamma, beta, mean, variance);
  return { y: again(x), mean, unbiased, reserve: [mean, variance], again };
}

/** BN of maps that no other BN reads. */
export function normOnce(context: TrainingContext, name: string, x: Output, shape: MapShape) {
  const { form, maps, gradients, batchStatistics } = context;
  const gamma = weight(context, `${name}.weight`);
  const beta = weight(context, `${name}.bias`);
  const fused = form === 'gpu' || fusedStatistics(context, shape);
  const normalize = fused ? normalizeFused : normalizeMeasured;
  const { y, mean, unbiased, reserve, again } = normalize(context, x, shape, gamma, beta);
  batchStatistics.set(`${name}.running_mean`, mean).set(`${name}.running_var`, unbiased);
  return {
    y,
    /** The same value as `y`, computed again once `gradient` is there. */
    again: (gradient: Output) => again(maps.delay(x, [gradient])),
    backward(dy: Output): Output {
      const [dx, dGamma, dBeta] = maps.normalizationGradient(dy, x, gamma, reserve, true);
      gradients.set(`${name}.weight`, dGamma).set(`${name}.bias`, dBeta);
      return dx;
    },
  };
}

/** BN-ReLU of maps that no other BN reads. */
export function normReluOnce(context: TrainingContext, name: string, x: Output, shape: MapShape) {
  const { maps, memoryEfficient } = context;
  const norm = normOnce(context, name, x, shape);
  const z = maps.unary('Relu', norm.y);
  return {
    z,
    /** The same value as `z`; computed again once `gradient` is there, if memory is to be saved. */
    recall: (gradient: Output) => (memoryEfficient ? maps.unary('Relu', norm.again(gradient)) : z),
    backward: (dz: Output, z: Output) => norm.backward(maps.reluGradient(dz, z)),
  };
}

/** BN-ReLU of maps that others read too. */
export function normReluShared(context: TrainingContext, name: string, read: MeasuredMaps) {
  const { form, ops, maps, gradients, batchStatistics, memoryEfficient } = context;
  const gamma = weight(context, `${name}.weight`);
  const beta = weight(context, `${name}.bias`);
  const { mean, variance, unbiased } = read.statistics;
  batchStatistics.set(`${name}.running_mean`, mean).set(`${name}.running_var`, unbiased);
  const apply = (x: Output) => maps.unary('Relu', maps.normalize(x, gamma, beta, mean, variance));
  const z = apply(read.x);
  return {
    z,
    /** The same value as `z`; computed again from `x` once `gradient` is there, if memory is to be saved. */
    recall: (gradient: Output, x: Output): Output => (memoryEfficient ? apply(maps.delay(x, [gradient])) : z),
    backward(dz: Output, z: Output, x: Output): MapGradient & { deferred: Deferred } {
      const dy = maps.reluGradient(dz, z);
      const [direct, dGamma, dBeta] =
        form === 'gpu'
          ? gradientOfParts(context, dy, x, gamma, read)
          : maps.normalizationGradient(dy, x, gamma, [mean, variance], false);
      gradients.set(`${name}.weight`, dGamma).set(`${name}.bias`, dBeta);
      const deferred = { beta: ops.binary('Mul', gamma, dBeta), gamma: ops.binary('Mul', gamma, dGamma) };
      return { direct, deferred };
    },
  };
}

/** Gradients [direct, dγ, dβ] by a given mean and variance: of those TensorFlow's GPU kernel is not deterministic. */
function gradientOfParts(
  { ops, maps }: TrainingContext,
  dy: Output,
  x: Output,
  gamma: Output,
  { statistics: { mean, inverse } }: MeasuredMaps,
): [Output, Output, Output] {
  const pixels = [0, 1, 2];
  const gradient = ops.cast(dy, maps.type);
  const centered = ops.binary('Sub', ops.cast(x, maps.type), mean);
  const dGamma = ops.binary('Mul', ops.sum(ops.binary('Mul', gradient, centered), pixels), inverse);
  const direct = ops.binary('Mul', gradient, ops.binary('Mul', gamma, inverse));
  return [maps.cast(direct, 'float'), dGamma, ops.sum(gradient, pixels)];
}

/** Statistics of maps for a stage that reads them, and the gradient to hand to the stage that made them. */
export function measured(context: TrainingContext, maps: FeatureMaps) {
  const count = valuesPerChannel(context.ops, maps.shape);
  const { statistics } = maps;
  if (statistics)
    return { maps: { ...maps, statistics }, count, settle: (gradient: MapGradient) => gradient };
  const own: MeasuredMaps = { ...maps, statistics: batchStatistics(context, maps.x, maps.shape, count) };
  const settle = (gradient: MapGradient) => ({ direct: resolve(context, gradient, own, count) });
  return { maps: own, count, settle };
}
