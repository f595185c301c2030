import type { NormalizedConvolution } from '../../../networks/convolutions.js';
import { type DenseLayer, denseLayers } from '../../../networks/dense-block.js';
import type { DenseBlockStage } from '../../../networks/network.js';
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
import { convolution, dropout } from './layers.js';
import { measured, normReluOnce, normReluShared } from './normalization.js';

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
  for (const layer of denseLayers(stage, input.shape, name)) {
    const appended = context.graph.scope(layer.name, () =>
      denseLayer(context, layer, stage.dropout, maps, count),
    );
    layers.push(appended);
    maps = appended.maps;
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
  { convolutions, output }: DenseLayer,
  dropout: number,
  input: MeasuredMaps,
  count: Output,
): AppendedLayer {
  const { graph, ops, maps, memoryEfficient } = context;
  const growthRate = output.channels;
  const width = input.shape.channels;
  const [first, second] = convolutions;
  const norm1 = normReluShared(context, first!.norm, input);
  const outer = convolutionDropout(context, first!, dropout, norm1.z);
  const branch = second ? bottleneck(context, outer, second, dropout) : outer;
  const made: MeasuredMaps = {
    x: branch.y,
    shape: output,
    statistics: batchStatistics(context, branch.y, output, count),
  };
  return {
    maps: append(context, input, made),
    backward({ direct, deferred }, xAfter) {
      const [before, own] = maps.split(direct, [width, growthRate], 3) as [Output, Output];
      const cut = (x: Output, first: number, size: number) => ops.channels(x, first, size, 1);
      const part = (first: number, size: number) =>
        deferred && { beta: cut(deferred.beta, first, size), gamma: cut(deferred.gamma, first, size) };
      const again = (ready: Output, first: number, size: number) =>
        graph.after([ready], () => maps.channels(xAfter, first, size, 4));
      const kept = memoryEfficient ? { ...made, x: again(own, width, growthRate) } : made;
      const dy = resolve(context, { direct: own, deferred: part(width, growthRate) }, kept, count);
      const x = memoryEfficient ? again(dy, 0, width) : input.x;
      const z = norm1.recall(dy, x);
      const read = norm1.backward(branch.backward(dy, z), z, x);
      const earlier = part(0, width);
      const gradient = {
        direct: maps.binary('AddV2', before, read.direct),
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

/** What follows the shared normalisation of a layer, from its z to the new maps y. */
interface Branch {
  readonly y: Output;
  backward(dy: Output, z: Output): Output;
}

function convolutionDropout(
  context: TrainingContext,
  { name, input, output, kernel }: NormalizedConvolution,
  probability: number,
  z: Output,
): Branch {
  const conv = convolution(context, name, z, input, output.channels, kernel);
  const drop = dropout(context, conv.y, output, probability);
  return { y: drop.y, backward: (dy, z) => conv.backward(drop.backward(dy), z) };
}

/** `pointwise`, the 1×1 convolution, then BN-ReLU and the 3×3 convolution. */
function bottleneck(
  context: TrainingContext,
  pointwise: Branch,
  square: NormalizedConvolution,
  probability: number,
): Branch {
  const norm2 = normReluOnce(context, square.norm, pointwise.y, square.input);
  const conv2 = convolutionDropout(context, square, probability, norm2.z);
  return {
    y: conv2.y,
    backward(dy, z) {
      const z2 = norm2.recall(dy);
      return pointwise.backward(norm2.backward(conv2.backward(dy, z2), z2), z);
    },
  };
}
