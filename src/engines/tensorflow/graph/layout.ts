import { elementCount, isTrainable, type Parameter } from '../../../networks/parameters.js';
import type { NamedTensors, Tensor } from '../../../util/tensor.js';

/** Where a tensor lies in a flat vector. */
export interface Segment {
  readonly name: string;
  /** Shape in the graph: convolutions are [height, width, in, out] (HWIO), all else as in PyTorch. */
  readonly shape: readonly number[];
  readonly size: number;
}

/**
 * The graph keeps all trainable parameters in one flat vector, the momentum in another and the running
 * statistics in a third, each in the order of `parameters(network)`: the optimiser is then a few ops.
 */
export interface Layout {
  readonly trainable: readonly Segment[];
  readonly running: readonly Segment[];
}

export function layoutOf(parameters: readonly Parameter[]): Layout {
  const segment = ({ name, shape }: Parameter): Segment => ({
    name,
    shape: shape.length === 4 ? [shape[2]!, shape[3]!, shape[1]!, shape[0]!] : shape,
    size: elementCount(shape),
  });
  return {
    trainable: parameters.filter(isTrainable).map(segment),
    running: parameters.filter((parameter) => !isTrainable(parameter)).map(segment),
  };
}

export function totalSize(segments: readonly Segment[]): number {
  return segments.reduce((sum, { size }) => sum + size, 0);
}

/** Lays named tensors (PyTorch's layouts) into one vector. */
export function flatten(segments: readonly Segment[], tensors: NamedTensors): Float32Array {
  const flat = new Float32Array(totalSize(segments));
  let offset = 0;
  for (const { name, shape, size } of segments) {
    const { data } = tensors.get(name)!;
    if (shape.length === 4) toHWIO(data, flat.subarray(offset, offset + size), shape);
    else flat.set(data, offset);
    offset += size;
  }
  return flat;
}

/** Cuts a vector into named tensors in PyTorch's layouts. */
export function unflatten(segments: readonly Segment[], flat: Float32Array): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  let offset = 0;
  for (const { name, shape, size } of segments) {
    const part = flat.subarray(offset, offset + size);
    if (shape.length === 4) {
      const [height, width, input, output] = shape as [number, number, number, number];
      tensors.set(name, { shape: [output, input, height, width], data: toOIHW(part, shape) });
    } else {
      tensors.set(name, { shape, data: part.slice() });
    }
    offset += size;
  }
  return tensors;
}

function toHWIO(source: Float32Array, target: Float32Array, shape: readonly number[]): void {
  eachWeight(shape, (oihw, hwio) => {
    target[hwio] = source[oihw]!;
  });
}

function toOIHW(source: Float32Array, shape: readonly number[]): Float32Array {
  const target = new Float32Array(source.length);
  eachWeight(shape, (oihw, hwio) => {
    target[oihw] = source[hwio]!;
  });
  return target;
}

/** Visits every weight of a convolution with its index in OIHW and in HWIO order. */
function eachWeight(shape: readonly number[], visit: (oihw: number, hwio: number) => void): void {
  const [height, width, input, output] = shape as [number, number, number, number];
  const pixels = height * width;
  let oihw = 0;
  for (let o = 0; o < output; o++) {
    for (let i = 0; i < input; i++) {
      for (let pixel = 0; pixel < pixels; pixel++) visit(oihw++, (pixel * input + i) * output + o);
    }
  }
}
