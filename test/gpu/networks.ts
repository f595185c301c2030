import { loadExperiment } from '../../src/config/load.js';
import type { Network } from '../../src/networks/network.js';
import { networkOf } from '../../src/training/model.js';

/** A network of a config, with some values changed, and images of a batch for it. */
export interface Subject {
  readonly config: string;
  readonly set?: readonly string[];
  readonly images: number;
}

/** Networks of every family and kind: configs, made small by their values. */
export const SMALL: readonly Subject[] = [
  { config: 'cifar10-40-12', set: ['network.depth=10'], images: 32 },
  { config: 'cifar10plus-bc-100-12', set: ['network.depth=10'], images: 32 },
  { config: 'cifar10-bc-100-12', set: ['network.depth=10'], images: 32 },
  { config: 'imagenet-densenet-121', set: ['network.depth=15', 'network.blocks=[1,1,2,1]'], images: 2 },
  { config: 'cifar10plus-resnet-110', set: ['network.depth=8'], images: 32 },
  { config: 'cifar10plus-preresnet-164', set: ['network.depth=11'], images: 32 },
  { config: 'cifar10plus-resnet-stochastic-110', set: ['network.depth=14'], images: 32 },
  { config: 'svhn-wide-resnet-16-4', set: ['network.depth=10', 'network.width=2'], images: 32 },
  { config: 'imagenet-resnet-34', set: ['network.depth=10', 'network.blocks=[1,1,1,1]'], images: 2 },
];

/** Networks as they are trained. */
export const WHOLE: readonly Subject[] = [
  { config: 'cifar10plus-bc-100-12', images: 64 },
  { config: 'imagenet-densenet-121', images: 2 },
  { config: 'imagenet-resnet-50', images: 2 },
];

export async function networkOfSubject({ config, set = [] }: Subject): Promise<Network> {
  return networkOf(await loadExperiment(config, { set: [...set] }));
}
