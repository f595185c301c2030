import type { DenseNetOptions } from '../networks/densenet.js';
import { buildDenseNet } from '../networks/densenet.js';
import type { Network } from '../networks/network.js';
import { readTable } from './paper-csv.js';

/** The images of the paper's ImageNet experiments (section 4.2). */
const IMAGENET = { channels: 3, height: 224, width: 224, classes: 1000 };

export interface ImageNetNetwork {
  /** `DenseNet-121`. */
  readonly name: string;
  readonly options: DenseNetOptions;
  readonly network: Network;
}

/** The networks of the paper's Table 1, all DenseNet-BC with θ = 0.5. */
export function table1Networks(): ImageNetNetwork[] {
  return readTable('table1').map(({ method, depth, growth_rate, block1, block2, block3, block4 }) =>
    imageNetNetwork(
      method!,
      Number(depth),
      Number(growth_rate),
      [block1, block2, block3, block4].map(Number),
    ),
  );
}

/** DenseNet-161 (k=48), which the authors' code has and Table 1 does not. */
export function authorsNetwork161(): ImageNetNetwork {
  return imageNetNetwork('DenseNet-161', 161, 48, [6, 12, 36, 24]);
}

/** DenseNet-264 with k=48, of the authors' README and technical report, which Table 1 does not have. */
export function authorsNetwork264(): ImageNetNetwork {
  return imageNetNetwork('DenseNet-264', 264, 48, [6, 12, 64, 48]);
}

function imageNetNetwork(
  name: string,
  depth: number,
  growthRate: number,
  blocks: readonly number[],
): ImageNetNetwork {
  const options = { depth, growthRate, bottleneck: true, compression: 0.5, dropout: 0, blocks };
  return { name, options, network: buildDenseNet(options, IMAGENET) };
}
