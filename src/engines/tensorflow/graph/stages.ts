import type {
  ClassifierStage,
  ConvolutionStage,
  MaxPoolingStage,
  TransitionStage,
} from '../../../networks/network.js';
import type { Output } from './builder.js';
import { filter, type TrainingContext, type TrainingStage, weight } from './context.js';
import type { FeatureMaps, MapGradient } from './features.js';
import { convolution, dropout } from './layers.js';
import { measured, normReluOnce, normReluShared } from './normalization.js';
import type { MapShape } from './ops.js';

/** Stands for −∞ around max pooling: below every finite feature. */
export const LOWEST = -3.4028234663852886e38;

/** The first convolution; its input is the images, so the gradient ends here. */
export function firstConvolution(
  context: TrainingContext,
  names: { readonly convolution: string; readonly norm: string },
  stage: ConvolutionStage,
  input: FeatureMaps,
  output: MapShape,
): TrainingStage {
  const { ops, maps, gradients } = context;
  const { kernel, stride, padding, outputChannels } = stage;
  const x = maps.pad(input.x, padding, 0);
  const name = `${names.convolution}.weight`;
  const y = maps.convolution(x, filter(context, name), stride, 'VALID');
  const norm0 = stage.normalized ? normReluOnce(context, names.norm, y, output) : undefined;
  return {
    maps: { x: norm0?.z ?? y, shape: output },
    backward({ direct }) {
      const dy = norm0?.backward(direct, norm0.z) ?? direct;
      const filterShape = [kernel, kernel, input.shape.channels, outputChannels];
      const dFilter = maps.convolutionFilter(x, filterShape, dy, stride, 'VALID');
      gradients.set(name, ops.cast(dFilter, maps.type));
      return { direct: dy };
    },
  };
}

export function maxPooling(
  context: TrainingContext,
  stage: MaxPoolingStage,
  input: FeatureMaps,
  output: MapShape,
): TrainingStage {
  const { maps } = context;
  const x = maps.pad(input.x, stage.padding, LOWEST);
  const y = maps.maxPool(x, stage.kernel, stage.stride);
  return {
    maps: { x: y, shape: output },
    backward({ direct }) {
      const dx = maps.maxPoolGradient(x, y, direct, stage.kernel, stage.stride);
      return { direct: maps.crop(dx, stage.padding, input.shape) };
    },
  };
}

export function transition(
  context: TrainingContext,
  name: string,
  stage: TransitionStage,
  input: FeatureMaps,
  output: MapShape,
): TrainingStage {
  const { maps } = context;
  const { maps: read, settle } = measured(context, input);
  const inner = { ...read.shape, channels: stage.outputChannels };
  const norm = normReluShared(context, `${name}.norm`, read);
  const conv = convolution(context, `${name}.conv`, norm.z, read.shape, inner.channels, 1);
  const drop = dropout(context, conv.y, inner, stage.dropout);
  return {
    maps: { x: maps.averagePool(drop.y), shape: output },
    backward({ direct }) {
      const dConv = drop.backward(maps.averagePoolGradient(inner, direct));
      const z = norm.recall(dConv, read.x);
      return settle(norm.backward(conv.backward(dConv, z), z, read.x));
    },
  };
}

/** BN-ReLU (or not), global average pooling, fully connected layer. `dLogits` is known once the loss is. */
export function classifier(
  context: TrainingContext,
  names: { readonly classifier: string; readonly lastNorm: string },
  stage: ClassifierStage,
  input: FeatureMaps,
) {
  const { graph, ops, maps, gradients } = context;
  const features = stage.normalized ? lastNorm(context, names.lastNorm, input) : unchanged(input);
  const pooled = ops.mean(ops.cast(features.z, maps.type), [1, 2]);
  const [weightName, biasName] = [`${names.classifier}.weight`, `${names.classifier}.bias`];
  const weights = weight(context, weightName);
  const product = ops.matmul(pooled, weights, { b: true });
  const { height, width, channels } = input.shape;
  return {
    logits: ops.binary('AddV2', product, weight(context, biasName)),
    backward(dLogits: Output) {
      gradients.set(weightName, ops.matmul(dLogits, pooled, { a: true }));
      gradients.set(biasName, ops.sum(dLogits, [0]));
      const dPooled = ops.scale(ops.matmul(dLogits, weights), 1 / (height * width));
      const pixel = ops.reshape(dPooled, ops.shape({ height: 1, width: 1, channels }));
      const dz = graph.add('BroadcastTo', [pixel, ops.shape(input.shape)], {
        T: { type: 'float' },
        Tidx: { type: 'int32' },
      });
      return features.backward(maps.cast(dz, 'float'));
    },
  };
}

function lastNorm(context: TrainingContext, name: string, input: FeatureMaps) {
  const { maps, settle } = measured(context, input);
  const norm = normReluShared(context, name, maps);
  return { z: norm.z, backward: (dz: Output): MapGradient => settle(norm.backward(dz, norm.z, maps.x)) };
}

function unchanged({ x }: FeatureMaps) {
  return { z: x, backward: (dz: Output): MapGradient => ({ direct: dz }) };
}
