import type { Family, Network, Stage } from './network.js';

/** Names of the tensors outside blocks and stages, without `.weight` and the like. */
export interface OuterNames {
  /** The first convolution. */
  readonly convolution: string;
  /** Its batch normalisation. */
  readonly norm: string;
  /** The batch normalisation before global average pooling. */
  readonly lastNorm: string;
  readonly classifier: string;
}

/** Torchvision's names. It has no pre-activation ResNets: `bn` of theirs is named here. */
const NAMES: Readonly<Record<Family, OuterNames>> = {
  densenet: {
    convolution: 'features.conv0',
    norm: 'features.norm0',
    lastNorm: 'features.norm5',
    classifier: 'classifier',
  },
  resnet: { convolution: 'conv1', norm: 'bn1', lastNorm: 'bn', classifier: 'fc' },
};

export function outerNames({ family }: Pick<Network, 'family'>): OuterNames {
  return NAMES[family];
}

/**
 * The name of every stage, with which the names of its tensors begin: `features.denseblock1`,
 * `features.transition1`, `layer1`. The first convolution and the classifier are tensors themselves; pooling has none.
 */
export function stageNames(network: Network): string[] {
  const names = outerNames(network);
  const seen = new Map<Stage['kind'], number>();
  return network.stages.map(({ kind }) => {
    const number = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, number);
    return stageName(kind, number, names);
  });
}

function stageName(kind: Stage['kind'], number: number, { convolution, classifier }: OuterNames): string {
  switch (kind) {
    case 'convolution':
      return convolution;
    case 'maxPooling':
      return 'pool';
    case 'denseBlock':
      return `features.denseblock${number}`;
    case 'transition':
      return `features.transition${number}`;
    case 'residualStage':
      return `layer${number}`;
    case 'classifier':
      return classifier;
  }
}
