import { BOTTLENECK_WIDTH, type DenseBlockStage } from '../../../networks/network.js';
import type { Output } from './builder.js';
import type { TrainingContext, TrainingStage } from './context.js';
import {
  append,
  batchStatistics,
  type FeatureMaps,
  type MapGradient,
  type MeasuredMaps,
  resolve,
} from './features.js';
import { convolution, dropout, measured, normReluOnce, normReluShared } from './layers.js';

/** A dense block (paper, section 3). */
export function denseBlock(
  context: TrainingContext,
  name: string,
  stage: DenseBlockStage,
  input: FeatureMaps,
): TrainingStage {
  const { maps: first, count, settle } = measured(context, input);
  const layers: AppendedLayer[] = [];
  let maps = first;
  for (let index = 1; index <= stage.layers; index++) {
    const layer = context.graph.scope(`denselayer${index}`, () =>
      denseLayer(context, `${name}.denselayer${index}`, stage, maps, count),
    );
    layers.push(layer);
    maps = layer.maps;
  }
  return {
    maps,
    backward(gradient) {
      let state = { gradient, x: maps.x };
      for (const layer of layers.toReversed()) state = layer.backward(state.gradient, state.x);
      return settle(state.gradient);
    },
  };
}

interface AppendedLayer {
  /** What the layer read, with its own maps appended. */
  readonly maps: MeasuredMaps;
  /** From the gradient and the value of `maps` to those of what the layer read. */
  backward(gradient: MapGradient, x: Output): { gradient: MapGradient; x: Output };
}

function denseLayer(
  context: TrainingContext,
  name: string,
  stage: DenseBlockStage,
  input: MeasuredMaps,
  count: Output,
): AppendedLayer {
  const { graph, ops, memoryEfficient } = context;
  const { growthRate } = stage;
  const width = input.shape.channels;
  const norm1 = normReluShared(context, `${name}.norm1`, input);
  const convolve = stage.bottleneck ? bottleneck : single;
  const branch = convolve(context, name, stage, norm1.z, input);
  const made: MeasuredMaps = {
    x: branch.y,
    shape: { ...input.shape, channels: growthRate },
    statistics: batchStatistics(ops, branch.y, growthRate, count),
  };
  return {
    maps: append(ops, input, made),
    backward({ direct, deferred }, xAfter) {
      const [before, own] = ops.split(direct, [width, growthRate], 3) as [Output, Output];
      const cut = (x: Output, first: number, size: number) => ops.channels(x, first, size, 1);
      const part = (first: number, size: number) =>
        deferred && { beta: cut(deferred.beta, first, size), gamma: cut(deferred.gamma, first, size) };
      const again = (ready: Output, first: number, size: number) =>
        graph.after([ready], () => ops.channels(xAfter, first, size, 4));
      const kept = memoryEfficient ? { ...made, x: again(own, width, growthRate) } : made;
      const dy = resolve(ops, { direct: own, deferred: part(width, growthRate) }, kept, count);
      const x = memoryEfficient ? again(dy, 0, width) : input.x;
      const z = norm1.recall(dy, x);
      const read = norm1.backward(branch.backward(dy, z), z, x);
      const earlier = part(0, width);
      const gradient = {
        direct: ops.binary('AddV2', before, read.direct),
        deferred: earlier
          ? {
              beta: ops.binary('AddV2', earlier.beta, read.deferred.beta),
              gamma: ops.binary('AddV2', earlier.gamma, read.deferred.gamma),
            }
          : read.deferred,
      };
      return { gradient, x };
    },
  };
}

/** The convolutions of a layer, from the normalised input z to the new maps y. */
interface Branch {
  readonly y: Output;
  backward(dy: Output, z: Output): Output;
}

function single(
  context: TrainingContext,
  name: string,
  { growthRate, dropout: probability }: DenseBlockStage,
  z: Output,
  { shape }: MeasuredMaps,
): Branch {
  const conv1 = convolution(context, `${name}.conv1`, z, shape, growthRate, 3);
  const drop1 = dropout(context, conv1.y, { ...shape, channels: growthRate }, probability);
  return { y: drop1.y, backward: (dy, z) => conv1.backward(drop1.backward(dy), z) };
}

function bottleneck(
  context: TrainingContext,
  name: string,
  { growthRate, dropout: probability }: DenseBlockStage,
  z: Output,
  { shape }: MeasuredMaps,
): Branch {
  const inner = { ...shape, channels: BOTTLENECK_WIDTH * growthRate };
  const conv1 = convolution(context, `${name}.conv1`, z, shape, inner.channels, 1);
  const drop1 = dropout(context, conv1.y, inner, probability);
  const norm2 = normReluOnce(context, `${name}.norm2`, drop1.y);
  const conv2 = convolution(context, `${name}.conv2`, norm2.z, inner, growthRate, 3);
  const drop2 = dropout(context, conv2.y, { ...shape, channels: growthRate }, probability);
  return {
    y: drop2.y,
    backward(dy, z) {
      const dConv2 = drop2.backward(dy);
      const z2 = norm2.recall(dConv2);
      const dInner = norm2.backward(conv2.backward(dConv2, z2), z2);
      return conv1.backward(drop1.backward(dInner), z);
    },
  };
}
