/**
 * A network as plain data: an input shape, a list of stages and a class count. Parameter counts,
 * multiply-adds, parameter names, initial values and every engine are derived from this list alone.
 */
export interface Network {
  /** For people, for example `DenseNet-BC (L=100, k=12)`. */
  readonly title: string;
  readonly input: { readonly channels: number; readonly height: number; readonly width: number };
  readonly classes: number;
  readonly stages: readonly Stage[];
}

/** The rows of Table 1 of the paper. Every network ends with one classifier. */
export type Stage = ConvolutionStage | MaxPoolingStage | DenseBlockStage | TransitionStage | ClassifierStage;

/**
 * The first convolution, `features.conv0`. CIFAR and SVHN: 3×3, stride 1, nothing after it. ImageNet: 7×7,
 * stride 2, then BN-ReLU (`features.norm0`).
 */
export interface ConvolutionStage {
  readonly kind: 'convolution';
  readonly outputChannels: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly normalized: boolean;
}

/** Max pooling of ImageNet networks: 3×3, stride 2, padding 1. */
export interface MaxPoolingStage {
  readonly kind: 'maxPooling';
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

/**
 * A dense block (paper, section 3). Layer ℓ reads the concatenation of the block's input and the outputs of
 * layers 1 … ℓ−1 and appends `growthRate` channels. Basic: BN-ReLU-Conv(3×3). Bottleneck (-B):
 * BN-ReLU-Conv(1×1, 4k)-BN-ReLU-Conv(3×3, k). Dropout follows every convolution.
 */
export interface DenseBlockStage {
  readonly kind: 'denseBlock';
  readonly layers: number;
  readonly growthRate: number;
  readonly bottleneck: boolean;
  /** Probability that a value is dropped in training; 0 for none. */
  readonly dropout: number;
}

/** BN-ReLU-Conv(1×1)-dropout-average pooling 2×2, stride 2 (an odd last row or column is left out). */
export interface TransitionStage {
  readonly kind: 'transition';
  readonly outputChannels: number;
  readonly dropout: number;
}

/** BN-ReLU (`features.norm5`)-global average pooling-fully connected layer (`classifier`). */
export interface ClassifierStage {
  readonly kind: 'classifier';
}

/** Output channels of the 1×1 convolution of a bottleneck layer, in units of k (paper, section 3). */
export const BOTTLENECK_WIDTH = 4;

/** ε of every batch normalisation, as in the authors' code and in PyTorch. */
export const BN_EPSILON = 1e-5;

/** running ← (1 − 0.1)·running + 0.1·batch, with the unbiased variance, as in the authors' code and PyTorch. */
export const BN_MOMENTUM = 0.1;

/** Shape of the feature maps [C, H, W] (of one image). */
export interface FeatureShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Shape of the feature maps after a stage; the classifier gives `{ channels: classes, height: 1, width: 1 }`. */
export function outputShape(stage: Stage, input: FeatureShape, classes: number): FeatureShape {
  const slide = (size: number, s: { kernel: number; stride: number; padding: number }) =>
    Math.floor((size + 2 * s.padding - s.kernel) / s.stride) + 1;
  switch (stage.kind) {
    case 'convolution':
      return {
        channels: stage.outputChannels,
        height: slide(input.height, stage),
        width: slide(input.width, stage),
      };
    case 'maxPooling':
      return { ...input, height: slide(input.height, stage), width: slide(input.width, stage) };
    case 'denseBlock':
      return { ...input, channels: input.channels + stage.layers * stage.growthRate };
    case 'transition':
      return {
        channels: stage.outputChannels,
        height: Math.floor(input.height / 2),
        width: Math.floor(input.width / 2),
      };
    case 'classifier':
      return { channels: classes, height: 1, width: 1 };
  }
}

/** Every stage with the shape it reads and the shape it makes, in order. */
export function stageShapes(network: Network): { stage: Stage; input: FeatureShape; output: FeatureShape }[] {
  let input: FeatureShape = network.input;
  return network.stages.map((stage) => {
    const output = outputShape(stage, input, network.classes);
    const entry = { stage, input, output };
    input = output;
    return entry;
  });
}
