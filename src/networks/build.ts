import { buildDenseNet, type DenseNetOptions, variant } from './densenet.js';
import type { Network, NetworkInput } from './network.js';
import { buildResNet, type ResNetOptions, resNetVariant } from './resnet.js';

/** What a config says of a network. */
export type NetworkOptions =
  | (DenseNetOptions & { readonly family: 'densenet' })
  | (ResNetOptions & { readonly family: 'resnet' });

/** `DenseNet-BC`, `ResNet (pre-activation)`: the network's name without its sizes. */
export function variantOf(options: NetworkOptions): string {
  return options.family === 'densenet' ? variant(options) : resNetVariant(options);
}

/** Builds a network of any family. Throws a UserError (usage) if it cannot be. */
export function buildNetwork(options: NetworkOptions, input: NetworkInput): Network {
  return options.family === 'densenet' ? buildDenseNet(options, input) : buildResNet(options, input);
}
