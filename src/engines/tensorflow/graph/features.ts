import { BN_EPSILON } from '../../../networks/network.js';
import type { Output } from './builder.js';
import type { MapShape, Ops } from './ops.js';

/** Statistics of every channel over the batch, vectors [C]. */
export interface Statistics {
  readonly mean: Output;
  /** Divided by M = N·H·W: what normalises. */
  readonly variance: Output;
  /** Divided by M − 1: what goes into the running variance. */
  readonly unbiased: Output;
}

/** Feature maps, [N, H, W, C]. */
export interface FeatureMaps {
  readonly x: Output;
  readonly shape: MapShape;
  /** Of dense blocks only: other stages leave it to their reader to batchStatistics. */
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

/** Computes the statistics of new feature maps with `count` = M values per channel. */
export function batchStatistics(ops: Ops, x: Output, channels: number, count: Output): Statistics {
  const ones = ops.graph.floats(Array<number>(channels).fill(1));
  const zeros = ops.graph.floats(Array<number>(channels).fill(0));
  const [, mean, unbiased] = ops.normalizeBatch(x, ones, zeros) as [Output, Output, Output];
  const less = ops.binary('Sub', count, ops.graph.floats([1], []));
  return { mean, unbiased, variance: ops.binary('Mul', unbiased, ops.binary('RealDiv', less, count)) };
}

/** Appends new feature maps to old ones along the channels. */
export function append(ops: Ops, old: MeasuredMaps, made: MeasuredMaps): MeasuredMaps {
  const join = (part: keyof Statistics) => ops.concat([old.statistics[part], made.statistics[part]], 0);
  return {
    x: ops.concat([old.x, made.x], 3),
    shape: { ...old.shape, channels: old.shape.channels + made.shape.channels },
    statistics: { mean: join('mean'), variance: join('variance'), unbiased: join('unbiased') },
  };
}

/** The whole gradient with regard to feature maps with `count` = M values per channel, [N, H, W, C]. */
export function resolve(ops: Ops, gradient: MapGradient, maps: MeasuredMaps, count: Output): Output {
  const { direct, deferred } = gradient;
  if (!deferred) return direct;
  const { mean, variance } = maps.statistics;
  const inverse = ops.unary('Rsqrt', ops.binary('AddV2', variance, ops.graph.floats([BN_EPSILON], [])));
  const squared = ops.binary('Mul', inverse, inverse);
  const slope = ops.binary('RealDiv', ops.binary('Mul', squared, deferred.gamma), count);
  const constant = ops.binary('RealDiv', ops.binary('Mul', inverse, deferred.beta), count);
  const offset = ops.binary('Sub', constant, ops.binary('Mul', slope, mean));
  return ops.binary('Sub', direct, ops.binary('AddV2', ops.binary('Mul', maps.x, slope), offset));
}
