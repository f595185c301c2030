import { UserError } from '../util/errors.js';
import { type FeatureShape, type Network, type NetworkInput, outputShape, type Stage } from './network.js';

/** What a config says of a DenseNet; the symbols are the paper's. */
export interface DenseNetOptions {
  /** L: counts convolutions and the fully connected layer. */
  readonly depth: number;
  /** k: channels that each layer of a dense block appends. */
  readonly growthRate: number;
  /** -B: a 1×1 convolution to 4k channels before each 3×3 convolution. */
  readonly bottleneck: boolean;
  /** θ in (0, 1]: the share of channels that a transition keeps. Below 1 it is -C. */
  readonly compression: number;
  /** Output channels of the first convolution; `firstChannels` says what they are otherwise. */
  readonly initialChannels?: number | undefined;
  /** Probability that a value is dropped after a convolution (all but the first); 0 for none. */
  readonly dropout: number;
  /** Layers of each dense block; three equal ones where left out. */
  readonly blocks?: readonly number[] | undefined;
  /** What stands before the dense blocks; `stemOf` says what it is otherwise. */
  readonly stem?: Stem | undefined;
}

/** CIFAR and SVHN: a 3×3 convolution (paper, section 3). ImageNet: a 7×7 convolution and max pooling (Table 1). */
export const STEMS = ['cifar', 'imagenet'] as const;
export type Stem = (typeof STEMS)[number];

export function stemOf({ stem, blocks }: Pick<DenseNetOptions, 'stem' | 'blocks'>): Stem {
  return stem ?? (blocks === undefined ? 'cifar' : 'imagenet');
}

/** Dense blocks of the networks for CIFAR and SVHN (paper, section 3). */
const BLOCKS = 3;

/** Layers that are not in a dense block: first convolution, two transitions, classifier (paper, section 3). */
const OUTER_LAYERS = 4;

/** Convolutions that one layer of a dense block has. */
function convolutionsPerLayer(options: Pick<DenseNetOptions, 'bottleneck'>): number {
  return options.bottleneck ? 2 : 1;
}

/** Another option than this network takes, and what to do about it. */
export interface DenseNetProblem {
  readonly option: keyof DenseNetOptions;
  readonly message: string;
  readonly remedy: string;
}

/**
 * What is wrong with the options and what would do instead, or undefined. The ImageNet stem needs listed blocks. Three
 * equal blocks need L = 3N+4 (6N+4 with bottleneck). Where the blocks are listed the depth must be theirs; one less is
 * accepted, because the paper's DenseNet-264 has 265 layers.
 */
export function denseNetProblem(options: DenseNetOptions): DenseNetProblem | undefined {
  const { depth, blocks, bottleneck, stem } = options;
  if (stem === 'imagenet' && blocks === undefined) {
    return {
      option: 'stem',
      message: 'is imagenet, but no dense blocks are listed',
      remedy: 'List them, such as network.blocks=[6, 12, 24, 16], or leave network.stem out.',
    };
  }
  const perLayer = convolutionsPerLayer(options);
  if (blocks !== undefined) {
    const layers = 1 + perLayer * blocks.reduce((sum, n) => sum + n, 0) + blocks.length;
    if (depth === layers || depth === layers - 1) return undefined;
    return {
      option: 'depth',
      message: `is ${depth}, but the listed blocks make ${layers} layers`,
      remedy: `Use ${layers}.`,
    };
  }
  const step = BLOCKS * perLayer;
  const layers = (depth - OUTER_LAYERS) / step;
  if (Number.isInteger(layers) && layers >= 1) return undefined;
  const below = OUTER_LAYERS + step * Math.floor(layers);
  const nearest = [below, below + step].filter((value) => value > OUTER_LAYERS);
  return {
    option: 'depth',
    message: `is ${depth}, which does not divide into ${BLOCKS} equal blocks: L = ${step}N+${OUTER_LAYERS} ${bottleneck ? 'with' : 'without'} bottleneck`,
    remedy: `Use ${(nearest.length > 0 ? nearest : [OUTER_LAYERS + step]).join(' or ')}.`,
  };
}

/** DenseNet, DenseNet-B, DenseNet-C or DenseNet-BC. */
export function variant(options: Pick<DenseNetOptions, 'bottleneck' | 'compression'>): string {
  const suffix = `${options.bottleneck ? 'B' : ''}${options.compression < 1 ? 'C' : ''}`;
  return suffix === '' ? 'DenseNet' : `DenseNet-${suffix}`;
}

/**
 * Output channels of the first convolution: 2k for -BC and for ImageNet, 16 otherwise (paper, section 3). The
 * paper does not say what -B and -C alone have; here they have 16 too, as every network that is not -BC.
 */
export function firstChannels(options: DenseNetOptions): number {
  if (options.initialChannels !== undefined) return options.initialChannels;
  const wide = stemOf(options) === 'imagenet' || (options.bottleneck && options.compression < 1);
  return wide ? 2 * options.growthRate : 16;
}

/**
 * Builds a DenseNet (paper, section 3): a 3×3 convolution, or a 7×7 convolution of stride 2 and max pooling, and three
 * equal or the listed dense blocks.
 * Throws a UserError (usage) if the depth does not fit or the images are too small for the network.
 */
export function buildDenseNet(options: DenseNetOptions, input: NetworkInput): Network {
  const problem = denseNetProblem(options);
  if (problem) throw new UserError('usage', `network.${problem.option} ${problem.message}`, problem.remedy);
  const { classes, ...image } = input;
  const stages: Stage[] = [];
  let shape: FeatureShape = image;
  const add = (stage: Stage) => {
    stages.push(stage);
    shape = outputShape(stage, shape, classes);
  };

  const outputChannels = firstChannels(options);
  if (stemOf(options) === 'cifar') {
    add({ kind: 'convolution', outputChannels, kernel: 3, stride: 1, padding: 1, normalized: false });
  } else {
    add({ kind: 'convolution', outputChannels, kernel: 7, stride: 2, padding: 3, normalized: true });
    add({ kind: 'maxPooling', kernel: 3, stride: 2, padding: 1 });
  }
  const { growthRate, bottleneck, dropout } = options;
  blockLayers(options).forEach((layers, index) => {
    if (index > 0) {
      const channels = Math.max(1, Math.floor(shape.channels * options.compression));
      add({ kind: 'transition', outputChannels: channels, dropout });
    }
    add({ kind: 'denseBlock', layers, growthRate, bottleneck, dropout });
  });
  if (Math.min(shape.height, shape.width) < 1) {
    throw new UserError(
      'usage',
      `images of ${image.height}×${image.width} pixels are too small for this network: nothing is left after its poolings`,
      options.blocks
        ? 'Leave out network.blocks, or list fewer of them.'
        : 'Take a dataset of larger images.',
    );
  }
  add({ kind: 'classifier', normalized: true });
  return { title: title(options), family: 'densenet', input: image, classes, stages };
}

/** `DenseNet-BC (L=100, k=12)`. */
function title(options: DenseNetOptions): string {
  return `${variant(options)} (L=${options.depth}, k=${options.growthRate})`;
}

function blockLayers(options: DenseNetOptions): readonly number[] {
  if (options.blocks !== undefined) return options.blocks;
  const layers = (options.depth - OUTER_LAYERS) / BLOCKS / convolutionsPerLayer(options);
  return Array.from({ length: BLOCKS }, () => layers);
}
