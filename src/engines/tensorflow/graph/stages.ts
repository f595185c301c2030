import type {
  ClassifierStage,
  ConvolutionStage,
  MaxPoolingStage,
  TransitionStage,
} from '../../../networks/network.js';
import type { Output } from './builder.js';
import { type TrainingContext, type TrainingStage, weight } from './context.js';
import type { FeatureMaps, MapGradient } from './features.js';
import { convolution, dropout, measured, normReluOnce, normReluShared } from './layers.js';
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
  const { ops, gradients } = context;
  const { kernel, stride, padding, outputChannels } = stage;
  const x = ops.pad(input.x, padding, 0);
  const filter = `${names.convolution}.weight`;
  const y = ops.convolution(x, weight(context, filter), stride, 'VALID');
  const norm0 = stage.normalized ? normReluOnce(context, names.norm, y) : undefined;
  return {
    maps: { x: norm0?.z ?? y, shape: output },
    backward({ direct }) {
      const dy = norm0?.backward(direct, norm0.z) ?? direct;
      const filterShape = [kernel, kernel, input.shape.channels, outputChannels];
      gradients.set(filter, ops.convolutionFilter(x, filterShape, dy, stride, 'VALID'));
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
  const { ops } = context;
  const x = ops.pad(input.x, stage.padding, LOWEST);
  const y = ops.maxPool(x, stage.kernel, stage.stride);
  return {
    maps: { x: y, shape: output },
    backward({ direct }) {
      const dx = ops.maxPoolGradient(x, y, direct, stage.kernel, stage.stride);
      return { direct: ops.crop(dx, stage.padding, input.shape) };
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
  const { ops } = context;
  const { maps, settle } = measured(context, input);
  const inner = { ...maps.shape, channels: stage.outputChannels };
  const norm = normReluShared(context, `${name}.norm`, maps);
  const conv = convolution(context, `${name}.conv`, norm.z, maps.shape, inner.channels, 1);
  const drop = dropout(context, conv.y, inner, stage.dropout);
  return {
    maps: { x: ops.averagePool(drop.y), shape: output },
    backward({ direct }) {
      const dConv = drop.backward(ops.averagePoolGradient(inner, direct));
      const z = norm.recall(dConv, maps.x);
      return settle(norm.backward(conv.backward(dConv, z), z, maps.x));
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
  const { graph, ops, gradients } = context;
  const features = stage.normalized ? lastNorm(context, names.lastNorm, input) : unchanged(input);
  const pooled = ops.mean(features.z, [1, 2]);
  const [weightName, biasName] = [`${names.classifier}.weight`, `${names.classifier}.bias`];
  const filter = weight(context, weightName);
  const product = ops.matmul(pooled, filter, { b: true });
  const { height, width, channels } = input.shape;
  return {
    logits: ops.binary('AddV2', product, weight(context, biasName)),
    backward(dLogits: Output) {
      gradients.set(weightName, ops.matmul(dLogits, pooled, { a: true }));
      gradients.set(biasName, ops.sum(dLogits, [0]));
      const dPooled = ops.scale(ops.matmul(dLogits, filter), 1 / (height * width));
      const pixel = ops.reshape(dPooled, ops.shape({ height: 1, width: 1, channels }));
      const dz = graph.add('BroadcastTo', [pixel, ops.shape(input.shape)], {
        T: { type: 'float' },
        Tidx: { type: 'int32' },
      });
      return features.backward(dz);
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
