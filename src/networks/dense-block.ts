import { convolutionChain, type NormalizedConvolution } from './convolutions.js';
import { BOTTLENECK_WIDTH, type DenseBlockStage, type FeatureShape } from './network.js';

/** A layer of a dense block; see `DenseBlockStage`. */
export interface DenseLayer {
  /** `features.denseblock1.denselayer1`. */
  readonly name: string;
  /** The concatenation that it reads. */
  readonly input: FeatureShape;
  /** What it appends, k channels. */
  readonly output: FeatureShape;
  /** In order; BN-ReLU comes before each, dropout after each. */
  readonly convolutions: readonly NormalizedConvolution[];
}

/** The layers of the dense block `name` that reads `input`. */
export function denseLayers(stage: DenseBlockStage, input: FeatureShape, name: string): DenseLayer[] {
  const { layers, growthRate, bottleneck } = stage;
  const square = { kernel: 3, stride: 1, outputChannels: growthRate };
  const point = { kernel: 1, stride: 1, outputChannels: BOTTLENECK_WIDTH * growthRate };
  return Array.from({ length: layers }, (_, index) => {
    const layer = `${name}.denselayer${index + 1}`;
    const read = { ...input, channels: input.channels + index * growthRate };
    const convolutions = convolutionChain(
      read,
      (bottleneck ? [point, square] : [square]).map((convolution, i) => ({
        ...convolution,
        name: `${layer}.conv${i + 1}`,
        norm: `${layer}.norm${i + 1}`,
      })),
    );
    return { name: layer, input: read, output: convolutions.at(-1)!.output, convolutions };
  });
}
