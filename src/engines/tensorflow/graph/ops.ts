import { BN_EPSILON } from '../../../networks/network.js';
import type { Attributes, GraphBuilder, Output } from './builder.js';

/** What a graph is written for. A GPU needs deterministic kernels, few launches and no waiting; a CPU fewer passes. */
export type GraphForm = 'cpu' | 'gpu';

/** Floating-point types. */
export type FloatType = 'float' | 'bfloat16';

export type BinaryOp =
  | 'AddV2'
  | 'Sub'
  | 'Mul'
  | 'RealDiv'
  | 'SquaredDifference'
  | 'Maximum'
  | 'Minimum'
  | 'MulNoNan';

/** Sizes of one image's feature maps, channels last: [height, width, channels]. */
export interface MapShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/**
 * TensorFlow's ops on tensors of one floating-point type, as far as the networks need them. Feature maps are
 * [N, H, W, C]: on CPUs TensorFlow has no other kernels, and on GPUs its layout pass turns them round. Filters are
 * [height, width, in, out] (HWIO).
 */
export class Ops {
  readonly graph: GraphBuilder;
  /** Batch size, an int32 scalar. */
  readonly batch: Output;
  readonly type: FloatType;
  readonly #T: { readonly T: { readonly type: FloatType } };

  constructor(graph: GraphBuilder, batch: Output, type: FloatType) {
    this.graph = graph;
    this.batch = batch;
    this.type = type;
    this.#T = { T: { type } };
  }

  /** `x` of type `from` in the type of these ops. */
  cast(x: Output, from: FloatType): Output {
    if (from === this.type) return x;
    return this.graph.add('Cast', [x], { SrcT: { type: from }, DstT: { type: this.type } });
  }

  unary(op: 'Relu' | 'Exp' | 'Neg' | 'Rsqrt' | 'Square' | 'LogSoftmax' | 'ZerosLike', x: Output): Output {
    return this.graph.add(op, [x], this.#T);
  }

  binary(op: BinaryOp, a: Output, b: Output): Output {
    return this.graph.add(op, [a, b], this.#T);
  }

  /** A scalar. */
  constant(value: number): Output {
    return this.cast(this.graph.floats([value], []), 'float');
  }

  scale(x: Output, factor: number): Output {
    return this.binary('Mul', x, this.constant(factor));
  }

  /**
   * `x`, once `others` are there. Only this node waits for them: ops with control inputs of their own are
   * left out when TensorFlow fuses ops, and a fused op may round differently.
   */
  delay(x: Output, others: readonly Output[]): Output {
    return this.graph.after(others, () => this.graph.add('Identity', [x], this.#T));
  }

  reshape(x: Output, shape: Output): Output {
    return this.graph.add('Reshape', [x, shape], { ...this.#T, Tshape: { type: 'int32' } });
  }

  concat(parts: readonly Output[], axis: number): Output {
    if (parts.length === 1) return parts[0]!;
    const attributes = { ...this.#T, Tidx: { type: 'int32' }, N: { int: parts.length } } as const;
    return this.graph.add('ConcatV2', [...parts, this.graph.ints([axis], [])], attributes);
  }

  /** Cuts `x` along `axis` into parts of the given sizes. */
  split(x: Output, sizes: readonly number[], axis: number): Output[] {
    if (sizes.length === 1) return [x];
    const attributes = { ...this.#T, Tlen: { type: 'int32' }, num_split: { int: sizes.length } } as const;
    const inputs = [x, this.graph.ints(sizes), this.graph.ints([axis], [])];
    return this.graph.addMany('SplitV', inputs, attributes, sizes.length);
  }

  /** Channels `first` … `first + count − 1` of feature maps [N, H, W, C] or, at rank 1, of a vector [C]. */
  channels(x: Output, first: number, count: number, rank: number): Output {
    const begin = [...Array<number>(rank - 1).fill(0), first];
    const size = [...Array<number>(rank - 1).fill(-1), count];
    return this.graph.add('Slice', [x, this.graph.ints(begin), this.graph.ints(size)], {
      ...this.#T,
      Index: { type: 'int32' },
    });
  }

  /** Sum over the given axes, which vanish. */
  sum(x: Output, axes: readonly number[]): Output {
    return this.#reduce('Sum', x, axes);
  }

  mean(x: Output, axes: readonly number[]): Output {
    return this.#reduce('Mean', x, axes);
  }

  #reduce(op: string, x: Output, axes: readonly number[]): Output {
    return this.graph.add(op, [x, this.graph.ints(axes)], { ...this.#T, Tidx: { type: 'int32' } });
  }

  /** The int32 vector [N, H, W, C]. */
  shape({ height, width, channels }: MapShape): Output {
    return this.#batchOf(height, width, channels);
  }

  /** The int32 vector [N, C, H, W]. */
  channelsFirstShape({ height, width, channels }: MapShape): Output {
    return this.#batchOf(channels, height, width);
  }

  #batchOf(...sizes: readonly number[]): Output {
    return this.intVector([this.batch, ...sizes.map((n) => this.graph.ints([n], []))]);
  }

  intVector(scalars: readonly Output[]): Output {
    return this.graph.add('Pack', scalars, { T: { type: 'int32' }, N: { int: scalars.length } });
  }

  matmul(a: Output, b: Output, transpose: { a?: boolean; b?: boolean } = {}): Output {
    return this.graph.add('MatMul', [a, b], {
      ...this.#T,
      transpose_a: { bool: transpose.a ?? false },
      transpose_b: { bool: transpose.b ?? false },
    });
  }

  convolution(x: Output, filter: Output, stride: number, padding: 'SAME' | 'VALID'): Output {
    return this.graph.add('Conv2D', [x, filter], this.#sliding(stride, padding));
  }

  /** Gradient of a convolution with regard to its input. */
  convolutionInput(
    input: MapShape,
    filter: Output,
    dy: Output,
    stride: number,
    padding: 'SAME' | 'VALID',
  ): Output {
    const inputs = [this.shape(input), filter, dy];
    return this.graph.add('Conv2DBackpropInput', inputs, this.#sliding(stride, padding));
  }

  /** Gradient of a convolution with regard to its filter of shape [height, width, in, out]. */
  convolutionFilter(
    x: Output,
    filterShape: readonly number[],
    dy: Output,
    stride: number,
    padding: 'SAME' | 'VALID',
  ): Output {
    const inputs = [x, this.graph.ints(filterShape), dy];
    return this.graph.add('Conv2DBackpropFilter', inputs, this.#sliding(stride, padding));
  }

  reluGradient(dy: Output, y: Output): Output {
    return this.graph.add('ReluGrad', [dy, y], this.#T);
  }

  /**
   * Batch normalisation by the batch's own statistics. Outputs: y, the batch's mean, its unbiased variance
   * (divided by N·H·W − 1, as PyTorch's running average wants it), and three tensors for the gradient.
   */
  normalizeBatch(x: Output, gamma: Output, beta: Output): Output[] {
    const none = this.graph.floats([]);
    return this.graph.addMany('FusedBatchNormV3', [x, gamma, beta, none, none], this.#normalization(true), 6);
  }

  /** Batch normalisation by a given mean and variance. */
  normalize(x: Output, gamma: Output, beta: Output, mean: Output, variance: Output): Output {
    return this.graph.add('FusedBatchNormV3', [x, gamma, beta, mean, variance], this.#normalization(false));
  }

  /**
   * Gradients [dx, dγ, dβ] of batch normalisation. `reserve` are the last three outputs of `normalizeBatch` or, on a
   * CPU only, mean and variance; dx goes through them if they are `ofBatch`.
   */
  normalizationGradient(
    dy: Output,
    x: Output,
    gamma: Output,
    reserve: readonly Output[],
    ofBatch: boolean,
  ): [Output, Output, Output] {
    const three = reserve.length === 3 ? reserve : [...reserve, this.graph.floats([])];
    const inputs = [dy, x, gamma, ...three];
    const attributes = this.#normalization(ofBatch);
    return this.graph.addMany('FusedBatchNormGradV3', inputs, attributes, 3) as [Output, Output, Output];
  }

  averagePool(x: Output): Output {
    return this.graph.add('AvgPool', [x], { ...pooling(2, 2), ...this.#T });
  }

  averagePoolGradient(input: MapShape, dy: Output): Output {
    return this.graph.add('AvgPoolGrad', [this.shape(input), dy], { ...pooling(2, 2), ...this.#T });
  }

  maxPool(x: Output, kernel: number, stride: number): Output {
    return this.graph.add('MaxPool', [x], { ...pooling(kernel, stride), ...this.#T });
  }

  maxPoolGradient(x: Output, y: Output, dy: Output, kernel: number, stride: number): Output {
    return this.graph.add('MaxPoolGrad', [x, y, dy], { ...pooling(kernel, stride), ...this.#T });
  }

  /** Every `stride`-th row and column of feature maps, the first included. */
  subsample(x: Output, stride: number): Output {
    if (stride === 1) return x;
    const none = this.graph.ints([0, 0, 0, 0]);
    return this.graph.add('StridedSlice', [x, none, none, this.#steps(stride)], this.#everywhere());
  }

  subsampleGradient(input: MapShape, dy: Output, stride: number): Output {
    if (stride === 1) return dy;
    const none = this.graph.ints([0, 0, 0, 0]);
    const inputs = [this.shape(input), none, none, this.#steps(stride), dy];
    return this.graph.add('StridedSliceGrad', inputs, this.#everywhere());
  }

  #steps(stride: number): Output {
    return this.graph.ints([1, stride, stride, 1]);
  }

  /** Appends `count` channels of zeros. */
  padChannels(x: Output, count: number): Output {
    if (count === 0) return x;
    return this.#pad(x, [0, 0, 0, 0, 0, 0, 0, count], 0);
  }

  /** `x` on one of two ways, by a boolean scalar; what follows on the other way is not computed. */
  switch(x: Output, condition: Output): { whenFalse: Output; whenTrue: Output } {
    const [whenFalse, whenTrue] = this.graph.addMany('Switch', [x, condition], this.#T, 2);
    return { whenFalse: whenFalse!, whenTrue: whenTrue! };
  }

  /** Whichever of two was computed, after a `switch`. */
  merge(a: Output, b: Output): Output {
    return this.graph.add('Merge', [a, b], { ...this.#T, N: { int: 2 } });
  }

  /** Surrounds feature maps by `size` rows and columns of `value`. */
  pad(x: Output, size: number, value: number): Output {
    if (size === 0) return x;
    return this.#pad(x, [0, 0, size, size, size, size, 0, 0], value);
  }

  /** `sizes`: before and after, of every dimension. */
  #pad(x: Output, sizes: readonly number[], value: number): Output {
    const inputs = [x, this.graph.ints(sizes, [4, 2]), this.constant(value)];
    return this.graph.add('PadV2', inputs, { ...this.#T, Tpaddings: { type: 'int32' } });
  }

  /** Takes away what `pad` added. */
  crop(x: Output, size: number, { height, width, channels }: MapShape): Output {
    if (size === 0) return x;
    const inputs = [x, this.graph.ints([0, size, size, 0]), this.graph.ints([-1, height, width, channels])];
    return this.graph.add('Slice', inputs, { ...this.#T, Index: { type: 'int32' } });
  }

  /** Strided slices from the beginning of every dimension to its end. */
  #everywhere(): Attributes {
    const masks = { begin_mask: { int: 0b1111 }, end_mask: { int: 0b1111 } };
    return { ...this.#T, Index: { type: 'int32' }, ...masks };
  }

  #sliding(stride: number, padding: 'SAME' | 'VALID'): Attributes {
    return {
      ...this.#T,
      strides: { ints: [1, stride, stride, 1] },
      padding: { string: padding },
      data_format: { string: 'NHWC' },
    };
  }

  #normalization(training: boolean): Attributes {
    return {
      ...this.#T,
      U: { type: 'float' },
      epsilon: { float: BN_EPSILON },
      data_format: { string: 'NHWC' },
      is_training: { bool: training },
    };
  }
}

/** From [N, C, H, W] to [N, H, W, C], of floats. */
export function channelsLast(graph: GraphBuilder, x: Output): Output {
  return graph.add('Transpose', [x, graph.ints([0, 2, 3, 1])], {
    T: { type: 'float' },
    Tperm: { type: 'int32' },
  });
}

function pooling(kernel: number, stride: number) {
  return {
    ksize: { ints: [1, kernel, kernel, 1] },
    strides: { ints: [1, stride, stride, 1] },
    padding: { string: 'VALID' },
    data_format: { string: 'NHWC' },
  } as const;
}
