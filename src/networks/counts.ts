import type { NormalizedConvolution } from './convolutions.js';
import { denseLayers } from './dense-block.js';
import type { FeatureShape, Network } from './network.js';
import { elementCount, isTrainable, parameters } from './parameters.js';
import { residualUnits } from './residual.js';
import { type PlacedStage, stageShapes } from './stages.js';

/** What a stage does and costs, for one image. */
export interface StageCounts extends PlacedStage {
  /** Trainable ones. */
  readonly parameters: number;
  readonly multiplyAdds: number;
  /** Values that stay in memory from the forward to the backward pass; see `activationBytes`. */
  readonly activations: number;
}

/** Trainable parameters: convolutions, γ and β of batch normalisation, the fully connected layer and its bias. */
export function parameterCount(network: Network): number {
  return parameters(network)
    .filter(isTrainable)
    .reduce((sum, parameter) => sum + elementCount(parameter.shape), 0);
}

/**
 * Multiply-adds of the convolutions and the fully connected layer in the forward pass of one image.
 * Normalisation, ReLU, pooling and biases are left out, as is usual. FLOPs are twice this.
 */
export function multiplyAdds(network: Network): number {
  return stageCounts(network).reduce((sum, stage) => sum + stage.multiplyAdds, 0);
}

/**
 * Bytes of the feature maps that the backward pass of one batch needs, in float32, each stored once: the images,
 * and the output of every convolution and pooling (in residual units, of every sum, and of every convolution that a
 * batch normalisation follows). A dense block's concatenation adds nothing to its parts, and normalised maps are not
 * counted: they follow from what is stored. So this is what an engine without needless copies holds; gradients,
 * weights and workspace come on top.
 */
export function activationBytes(network: Network, batch: number): number {
  const perImage = stageCounts(network).reduce((sum, stage) => sum + stage.activations, size(network.input));
  return perImage * batch * Float32Array.BYTES_PER_ELEMENT;
}

/** The counts of every stage, in order. */
export function stageCounts(network: Network): StageCounts[] {
  return stageShapes(network).map((placed) => ({
    ...placed,
    parameters: parameterCount({ ...network, input: placed.input, stages: [placed.stage] }),
    multiplyAdds: stageMultiplyAdds(placed),
    activations: stageActivations(placed),
  }));
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function size({ channels, height, width }: FeatureShape): number {
  return channels * height * width;
}

function convolutionMultiplyAdds(convolutions: readonly NormalizedConvolution[]): number {
  return sum(convolutions, ({ input, output, kernel }) => size(output) * input.channels * kernel ** 2);
}

function stageMultiplyAdds({ stage, name, input, output }: PlacedStage): number {
  switch (stage.kind) {
    case 'convolution':
      return size(output) * input.channels * stage.kernel ** 2;
    case 'maxPooling':
      return 0;
    case 'denseBlock':
      return sum(denseLayers(stage, input, name), ({ convolutions }) =>
        convolutionMultiplyAdds(convolutions),
      );
    case 'transition':
      return size(input) * stage.outputChannels;
    case 'residualStage':
      return sum(residualUnits(stage, input, name), ({ convolutions, shortcut, input, output }) => {
        const projection = shortcut === 'projection' ? size(output) * input.channels : 0;
        return convolutionMultiplyAdds(convolutions) + projection;
      });
    case 'classifier':
      return input.channels * output.channels;
  }
}

function stageActivations({ stage, name, input, output }: PlacedStage): number {
  switch (stage.kind) {
    case 'convolution':
    case 'maxPooling':
      return size(output);
    case 'denseBlock':
      return sum(denseLayers(stage, input, name), ({ convolutions }) =>
        sum(convolutions, (c) => size(c.output)),
      );
    case 'transition':
      return size({ ...input, channels: stage.outputChannels }) + size(output);
    case 'residualStage':
      return sum(residualUnits(stage, input, name), ({ activation, convolutions, shortcut, output }) => {
        // Before activation nothing needs the branch's last map or the projection once they are added.
        if (activation === 'pre') return sum(convolutions.slice(0, -1), (c) => size(c.output)) + size(output);
        const projected = shortcut === 'projection' ? size(output) : 0;
        return sum(convolutions, (c) => size(c.output)) + projected + size(output);
      });
    case 'classifier':
      return input.channels + output.channels;
  }
}
