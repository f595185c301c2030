import type { Output } from './builder.js';
import { filter, type TrainingContext } from './context.js';
import { channelsLast, type MapShape } from './ops.js';

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
  const { maps } = context;
  const { height, width, channels } = input;
  const fewer = { height: Math.ceil(height / stride), width: Math.ceil(width / stride), channels };
  const pointwise = paddedConvolution(context, name, maps.subsample(x, stride), fewer, outputChannels, 1, 1);
  return {
    y: pointwise.y,
    backward(dy, x) {
      const dFewer = pointwise.backward(dy, maps.subsample(x, stride));
      return maps.subsampleGradient(input, dFewer, stride);
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
  const { graph, ops, maps, gradients, memoryEfficient } = context;
  const weights = filter(context, `${name}.weight`);
  // With a stride, SAME would pad after the last row and column only.
  const border = stride === 1 ? 0 : (kernel - 1) / 2;
  const padding = stride === 1 ? 'SAME' : 'VALID';
  const { height, width, channels } = input;
  const padded = { height: height + 2 * border, width: width + 2 * border, channels };
  return {
    y: maps.convolution(maps.pad(x, border, 0), weights, stride, padding),
    backward(dy, x) {
      const filterShape = [kernel, kernel, channels, outputChannels];
      const dFilter = maps.convolutionFilter(maps.pad(x, border, 0), filterShape, dy, stride, padding);
      gradients.set(`${name}.weight`, ops.cast(dFilter, maps.type));
      // Nothing else waits for dFilter: it could run late, and x and dy would be kept till then.
      const dPadded = graph.after(memoryEfficient ? [dFilter] : [], () =>
        maps.convolutionInput(padded, weights, dy, stride, padding),
      );
      return maps.crop(dPadded, border, input);
    },
  };
}

/** Inverted dropout: a value is 0 with the given probability, else divided by the chance that it stays. */
export function dropout(context: TrainingContext, x: Output, shape: MapShape, probability: number) {
  const same = (values: Output) => values;
  if (probability === 0) return { y: x, recall: same, backward: same };
  const { graph, form, ops, maps, memoryEfficient } = context;
  // On a GPU, TensorFlow puts channels first where maps are not bfloat16: drawn like that, a mask needs no transpose.
  const channelsFirst = form === 'gpu' && maps.type === 'float';
  // XLA has numbers of its own for the same key.
  const uniform = graph.interpreted(() => {
    const size = channelsFirst ? ops.channelsFirstShape(shape) : ops.shape(shape);
    return graph.add('StatelessRandomUniform', [size, context.nextDropoutKey()], {
      dtype: { type: 'float' },
      T: { type: 'int32' },
      Tseed: { type: 'int32' },
    });
  });
  const kept = graph.add('GreaterEqual', [uniform, graph.floats([probability], [])], {
    T: { type: 'float' },
  });
  const apply = (values: Output) => {
    const mask = graph.add('Cast', [kept], { SrcT: { type: 'bool' }, DstT: { type: 'float' } });
    const scaled = ops.scale(mask, 1 / (1 - probability));
    const factor = channelsFirst ? channelsLast(graph, scaled) : scaled;
    return maps.cast(ops.binary('Mul', ops.cast(values, maps.type), factor), 'float');
  };
  const y = apply(x);
  return {
    y,
    /** The same value as `y`; computed again from `x`, if memory is to be saved. */
    recall: (x: Output) => (memoryEfficient ? apply(x) : y),
    backward: apply,
  };
}
