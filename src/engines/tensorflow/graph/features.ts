import { BN_EPSILON } from '../../../networks/network.js';
import type { Output } from './builder.js';
import type { GraphForm, MapShape, Ops } from './ops.js';

/** Ops on float32 values and ops on feature maps. */
interface Context {
  readonly ops: Ops;
  readonly maps: Ops;
}

interface StatisticsContext extends Context {
  readonly form: GraphForm;
  /** Images that usually go through the network at once. */
  readonly images: number;
}

/** Statistics of every channel over the batch, float32 vectors [C]. M = N·H·W values are behind each. */
export interface Statistics {
  readonly mean: Output;
  /** Divided by M: what normalises. */
  readonly variance: Output;
  /** Divided by M − 1, or by 1 where M is 1: what goes into the running variance. */
  readonly unbiased: Output;
  /** 1/√(variance + ε). */
  readonly inverse: Output;
}

/** Feature maps, [N, H, W, C]. */
export interface FeatureMaps {
  readonly x: Output;
  readonly shape: MapShape;
  /** Of dense blocks only: other stages leave it to their reader to compute them. */
  readonly statistics?: Statistics;
}

/**
 * Feature maps that several batch normalisations read. They differ in γ and β only, so the statistics are
 * computed once, when a channel is made.
 */
export interface MeasuredMaps extends FeatureMaps {
  readonly statistics: Statistics;
}

/**
 * The gradient that readers have left at some feature maps. Batch normalisation with γ, standard deviation
 * σ and M = N·H·W values per channel gives dx = γ/σ · (g − mean(g) − x̂·mean(g·x̂)), where dβ = M·mean(g) and
 * dγ = M·mean(g·x̂). `direct` sums the first term over the readers; the others are the same two numbers for
 * a whole channel, so their sums over the readers are kept apart and subtracted once, by `resolve`.
 */
export interface MapGradient {
  /** Σ γ/σ·g, [N, H, W, C]. */
  readonly direct: Output;
  /** Σ γ·dβ and Σ γ·dγ, [C] each; absent where nothing is left to subtract. */
  readonly deferred?: Deferred;
}

export interface Deferred {
  readonly beta: Output;
  readonly gamma: Output;
}

/** Number of values of a channel in the batch, M = N·H·W, a float scalar. */
export function valuesPerChannel(ops: Ops, { height, width }: MapShape): Output {
  const batch = ops.graph.add('Cast', [ops.batch], { SrcT: { type: 'int32' }, DstT: { type: 'float' } });
  return ops.scale(batch, height * width);
}

/**
 * Up to so many values, TensorFlow's fused CPU kernel computes a variance to 10⁻⁵. It adds up one after another: of
 * 512 images of 32×32 it is off by 6·10⁻⁵ with oneDNN and by 1.7·10⁻⁴ without.
 */
const FUSED_VALUES = 2 ** 16;

/** Whether batch statistics are to be computed with the fused CPU kernel, which is the fastest. */
export function fusedStatistics({ form, images }: StatisticsContext, { height, width }: MapShape): boolean {
  return form === 'cpu' && images * height * width <= FUSED_VALUES;
}

/** Computes the statistics of feature maps with `count` = M values per channel. */
export function batchStatistics(
  context: StatisticsContext,
  x: Output,
  shape: MapShape,
  count: Output,
): Statistics {
  const { ops, maps } = context;
  const one = ops.constant(1);
  const others = ops.binary('Sub', count, one);
  const finish = (mean: Output, variance: Output, unbiased: Output) => {
    const inverse = ops.unary('Rsqrt', ops.binary('AddV2', variance, ops.constant(BN_EPSILON)));
    return { mean, variance, unbiased, inverse };
  };
  if (fusedStatistics(context, shape)) {
    const fill = (value: number) => ops.graph.floats(Array<number>(shape.channels).fill(value));
    const [, mean, unbiased] = maps.normalizeBatch(x, fill(1), fill(0)) as [Output, Output, Output];
    const variance = ops.binary('Mul', unbiased, ops.binary('RealDiv', others, count));
    return finish(mean, variance, unbiased);
  }
  // First over an image, then over images: the error grows with the longest sum.
  const average = (values: Output) => ops.mean(ops.mean(values, [1, 2]), [0]);
  const values = ops.cast(x, maps.type);
  const mean = average(values);
  const variance = average(ops.binary('SquaredDifference', values, mean));
  const correction = ops.binary('RealDiv', count, ops.binary('Maximum', others, one));
  return finish(mean, variance, ops.binary('Mul', variance, correction));
}

/** Appends new feature maps to old ones along the channels. */
export function append({ ops, maps }: Context, old: MeasuredMaps, made: MeasuredMaps): MeasuredMaps {
  const join = (part: keyof Statistics) => ops.concat([old.statistics[part], made.statistics[part]], 0);
  return {
    x: maps.concat([old.x, made.x], 3),
    shape: { ...old.shape, channels: old.shape.channels + made.shape.channels },
    statistics: {
      mean: join('mean'),
      variance: join('variance'),
      unbiased: join('unbiased'),
      inverse: join('inverse'),
    },
  };
}

/** The whole gradient with regard to feature maps with `count` = M values per channel, [N, H, W, C]. */
export function resolve(
  { ops, maps }: Context,
  { direct, deferred }: MapGradient,
  { x, statistics }: MeasuredMaps,
  count: Output,
): Output {
  if (!deferred) return direct;
  const { mean, inverse } = statistics;
  const squared = ops.binary('Mul', inverse, inverse);
  const slope = ops.binary('RealDiv', ops.binary('Mul', squared, deferred.gamma), count);
  const constant = ops.binary('RealDiv', ops.binary('Mul', inverse, deferred.beta), count);
  const offset = ops.binary('Sub', constant, ops.binary('Mul', slope, mean));
  const indirect = ops.binary('AddV2', ops.binary('Mul', ops.cast(x, maps.type), slope), offset);
  return maps.cast(ops.binary('Sub', ops.cast(direct, maps.type), indirect), 'float');
}
