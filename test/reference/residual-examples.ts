import type { Network, ResidualStage, Stage } from '../../src/networks/network.js';

/** A small ResNet of any kind. */
export interface ResidualExample {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly classes: number;
  /** `small`: 3×3 convolution. `imagenet`: 7×7, stride 2, BN-ReLU, max pooling. */
  readonly stem: 'small' | 'imagenet';
  readonly stemChannels: number;
  /** Units of each stage; every stage but the first begins with stride 2. */
  readonly units: readonly number[];
  /** Inner channels of the first stage; doubled from stage to stage. */
  readonly innerChannels: number;
  /** Output channels, in units of the inner ones. */
  readonly expansion: number;
  readonly block: ResidualStage['block'];
  readonly activation: ResidualStage['activation'];
  readonly shortcut: ResidualStage['shortcut'];
  readonly dropout: number;
  /** Of every unit; 1 for no stochastic depth. */
  readonly survival: number;
}

/** A small pre-activation ResNet. */
export const RESIDUAL_EXAMPLE: ResidualExample = {
  channels: 3,
  height: 12,
  width: 12,
  classes: 10,
  stem: 'small',
  stemChannels: 4,
  units: [2, 2],
  innerChannels: 4,
  expansion: 1,
  block: 'basic',
  activation: 'pre',
  shortcut: 'padding',
  dropout: 0,
  survival: 1,
};

/** The kinds of units that the paper's ResNets have, and what they have in common with nothing else. */
export const RESIDUAL_KINDS: Readonly<Record<string, Partial<ResidualExample>>> = {
  'pre, basic': {},
  'pre, bottleneck': { block: 'bottleneck', expansion: 4, shortcut: 'projection' },
  'post, basic': { activation: 'post' },
  'post, bottleneck, ImageNet stem': {
    activation: 'post',
    block: 'bottleneck',
    expansion: 4,
    shortcut: 'projection',
    stem: 'imagenet',
  },
  wide: { shortcut: 'projection', innerChannels: 3 },
};

export function residualNetwork(example: ResidualExample): Network {
  const { channels, height, width, classes, stem, stemChannels, activation } = example;
  const normalized = activation === 'post' || stem === 'imagenet';
  const convolution = { kind: 'convolution', outputChannels: stemChannels, normalized } as const;
  const first: Stage[] =
    stem === 'small'
      ? [{ ...convolution, kernel: 3, stride: 1, padding: 1 }]
      : [
          { ...convolution, kernel: 7, stride: 2, padding: 3 },
          { kind: 'maxPooling', kernel: 3, stride: 2, padding: 1 },
        ];
  const stages = example.units.map((units, index): Stage => {
    const innerChannels = example.innerChannels * 2 ** index;
    const { block, shortcut, dropout, survival } = example;
    return {
      kind: 'residualStage',
      units,
      outputChannels: example.expansion * innerChannels,
      block,
      innerChannels,
      stride: index === 0 ? 1 : 2,
      activation,
      shortcut,
      dropout,
      survival: Array<number>(units).fill(survival),
    };
  });
  return {
    title: 'an example',
    family: 'resnet',
    input: { channels, height, width },
    classes,
    stages: [...first, ...stages, { kind: 'classifier', normalized: activation === 'pre' }],
  };
}
