/**
 * A network as plain data: an input shape, a list of stages and a class count. Parameter counts,
 * multiply-adds, parameter names, initial values and every engine are derived from this list alone.
 */
export interface Network {
  /** For people, for example `DenseNet-BC (L=100, k=12)`. */
  readonly title: string;
  /** Whose names its tensors have; see `names.ts`. */
  readonly family: Family;
  readonly input: FeatureShape;
  readonly classes: number;
  readonly stages: readonly Stage[];
}

const FAMILIES = ['densenet', 'resnet'] as const;
export type Family = (typeof FAMILIES)[number];

/** What the images are. */
export interface NetworkInput extends FeatureShape {
  readonly classes: number;
}

/** The rows of Table 1 of the paper, and those of ResNets. Every network ends with one classifier. */
export type Stage =
  | ConvolutionStage
  | MaxPoolingStage
  | DenseBlockStage
  | TransitionStage
  | ResidualStage
  | ClassifierStage;

/**
 * The first convolution. CIFAR and SVHN: 3×3, stride 1. ImageNet: 7×7, stride 2. BN-ReLU follows where it is
 * `normalized`: in ImageNet networks, and in ResNets whose units do not begin with it.
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

/**
 * A stage of a ResNet: `units` residual units, of which the first changes channels and size. A unit adds its branch F
 * to its shortcut: y = x + F(x) before activation (He et al. 2016b, "pre"), y = ReLU(x + F(x)) after it (He et al.
 * 2016a, "post"). `residualUnits` spells every unit out.
 */
export interface ResidualStage {
  readonly kind: 'residualStage';
  readonly units: number;
  readonly outputChannels: number;
  /** Basic: two 3×3 convolutions. Bottleneck: 1×1, 3×3, 1×1. */
  readonly block: 'basic' | 'bottleneck';
  /** Output channels of every convolution of a branch but the last. */
  readonly innerChannels: number;
  /** Of the first unit. */
  readonly stride: number;
  /**
   * Pre: BN-ReLU before every convolution. Post: BN after every convolution, ReLU after all but the last and after the
   * sum.
   */
  readonly activation: 'pre' | 'post';
  /** What a first unit that changes channels or size adds its branch to; every other adds it to its input. */
  readonly shortcut: 'projection' | 'padding';
  /** Probability that a value which enters the last convolution of a branch is dropped in training; 0 for none. */
  readonly dropout: number;
  /** Stochastic depth: the probability, for each unit, that its branch is there in training; 1 for always. */
  readonly survival: readonly number[];
}

/** BN-ReLU where `normalized`, global average pooling, fully connected layer. */
export interface ClassifierStage {
  readonly kind: 'classifier';
  /** False in ResNets whose units end with ReLU. */
  readonly normalized: boolean;
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
    case 'residualStage':
      return {
        channels: stage.outputChannels,
        height: Math.ceil(input.height / stage.stride),
        width: Math.ceil(input.width / stage.stride),
      };
    case 'classifier':
      return { channels: classes, height: 1, width: 1 };
  }
}
