import { buildDenseNet } from '../networks/densenet.js';
import type { Network, ResidualStage } from '../networks/network.js';
import { buildResNet } from '../networks/resnet.js';

/** What an engine computes here and the stored results say in double precision. */
export interface SelftestCase {
  /** Name of the file of results. */
  readonly name: string;
  readonly network: Network;
  /** Draws weights and images; see `randomWeights`. */
  readonly seed: number;
  /** Training steps, all on one batch: of one the gradient is compared, of more what comes of them too. */
  readonly steps: number;
}

/** Images of every batch. */
export const BATCH = 4;
export const LEARNING_RATE = 0.002;
/** Without weight decay the momentum after the first step is the gradient. */
export const OPTIMIZER = { momentum: 0.9, nesterov: true, weightDecay: 0 } as const;

const IMAGES = { channels: 3, height: 16, width: 16, classes: 10 };

const bc = { depth: 16, growthRate: 12, bottleneck: true, compression: 0.5, dropout: 0 };
const basic = { depth: 10, growthRate: 12, bottleneck: false, compression: 1, dropout: 0 };
const resnet = {
  depth: 8,
  activation: 'post',
  bottleneck: false,
  width: 1,
  dropout: 0,
  survival: 1,
} as const;

/** Networks of the paper's kinds, only smaller. The seeds keep clear of kinks, see test/selftest. */
export const SELFTEST_CASES: readonly SelftestCase[] = [
  { name: 'densenet-bc', network: buildDenseNet(bc, IMAGES), seed: 7, steps: 20 },
  { name: 'densenet', network: buildDenseNet(basic, IMAGES), seed: 9, steps: 20 },
  { name: 'resnet', network: buildResNet(resnet, IMAGES), seed: 1, steps: 20 },
  { name: 'imagenet-densenet', network: imageNetDenseNet(), seed: 6, steps: 1 },
  { name: 'bottleneck-resnet', network: bottleneckResNet(), seed: 2, steps: 1 },
];

/** Engines draw masks of their own, so they are compared with nothing but themselves. */
export const DROPPING = buildDenseNet({ ...bc, dropout: 0.2 }, IMAGES);

/** 7×7 convolution, max pooling and odd numbers of pixels. */
function imageNetDenseNet(): Network {
  const block = { kind: 'denseBlock', layers: 2, growthRate: 6, bottleneck: true, dropout: 0 } as const;
  return {
    title: 'DenseNet with the ImageNet stem',
    family: 'densenet',
    input: { channels: 3, height: 70, width: 58 },
    classes: 7,
    stages: [
      { kind: 'convolution', outputChannels: 12, kernel: 7, stride: 2, padding: 3, normalized: true },
      { kind: 'maxPooling', kernel: 3, stride: 2, padding: 1 },
      block,
      { kind: 'transition', outputChannels: 12, dropout: 0 },
      block,
      { kind: 'classifier', normalized: true },
    ],
  };
}

/** Units with BN-ReLU first, projections, strides, and branches that are left out by lot. */
function bottleneckResNet(): Network {
  const stage = (innerChannels: number, stride: number): ResidualStage => ({
    kind: 'residualStage',
    units: 2,
    outputChannels: 4 * innerChannels,
    block: 'bottleneck',
    innerChannels,
    stride,
    activation: 'pre',
    shortcut: 'projection',
    dropout: 0,
    survival: [1, 0.5],
  });
  return {
    title: 'ResNet with bottlenecks and stochastic depth',
    family: 'resnet',
    input: { channels: 3, height: 16, width: 16 },
    classes: 10,
    stages: [
      { kind: 'convolution', outputChannels: 8, kernel: 3, stride: 1, padding: 1, normalized: false },
      stage(4, 1),
      stage(8, 2),
      { kind: 'classifier', normalized: true },
    ],
  };
}
