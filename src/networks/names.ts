import type { Family } from './network.js';

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

export function outerNames({ family }: { readonly family: Family }): OuterNames {
  return NAMES[family];
}
