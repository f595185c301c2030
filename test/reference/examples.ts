import type { Network, Stage } from '../../src/networks/network.js';
import { stageShapes } from '../../src/networks/stages.js';

/** A small network of any of the paper's kinds. */
export interface Example {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly classes: number;
  /** `small`: 3×3 convolution. `imagenet`: 7×7, stride 2, BN-ReLU, max pooling. */
  readonly stem: 'small' | 'imagenet';
  readonly stemChannels: number;
  /** Layers of each dense block. */
  readonly blocks: readonly number[];
  readonly growthRate: number;
  readonly bottleneck: boolean;
  /** θ of the transitions. */
  readonly compression: number;
  readonly dropout: number;
}

/** A small DenseNet-BC. */
export const EXAMPLE: Example = {
  channels: 3,
  height: 12,
  width: 12,
  classes: 10,
  stem: 'small',
  stemChannels: 8,
  blocks: [2, 2],
  growthRate: 4,
  bottleneck: true,
  compression: 0.5,
  dropout: 0,
};

export function exampleNetwork(example: Example): Network {
  const { channels, height, width, classes, stemChannels, growthRate, bottleneck, dropout } = example;
  const stages: Stage[] =
    example.stem === 'small'
      ? [convolution(stemChannels, 3, 1, 1, false)]
      : [convolution(stemChannels, 7, 2, 3, true), { kind: 'maxPooling', kernel: 3, stride: 2, padding: 1 }];
  let maps = stemChannels;
  example.blocks.forEach((layers, index) => {
    if (index > 0) {
      maps = Math.max(1, Math.floor(example.compression * maps));
      stages.push({ kind: 'transition', outputChannels: maps, dropout });
    }
    stages.push({ kind: 'denseBlock', layers, growthRate, bottleneck, dropout });
    maps += layers * growthRate;
  });
  stages.push({ kind: 'classifier', normalized: true });
  return { title: 'an example', family: 'densenet', input: { channels, height, width }, classes, stages };
}

function convolution(
  outputChannels: number,
  kernel: number,
  stride: number,
  padding: number,
  normalized: boolean,
): Stage {
  return { kind: 'convolution', outputChannels, kernel, stride, padding, normalized };
}

/** The fewest pixels that any feature map of the network has. */
export function fewestPixels(network: Network): number {
  const maps = stageShapes(network).filter(({ stage }) => stage.kind !== 'classifier');
  return Math.min(...maps.map(({ output }) => output.height * output.width));
}
