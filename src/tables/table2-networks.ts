import type { NetworkOptions } from '../networks/build.js';

const RESNET = {
  family: 'resnet',
  activation: 'post',
  bottleneck: false,
  width: 1,
  dropout: 0,
  survival: 1,
} as const;

/** Widths of the Wide ResNets, which Table 2 does not print; their parameters tell. */
export const WIDTHS: Readonly<Record<string, number>> = {
  'Wide ResNet 16': 8,
  'Wide ResNet 28': 10,
  'Wide ResNet with Dropout 16': 4,
};

/** The network of a row of Table 2 (without the dropout of DenseNets); undefined for all but DenseNets and ResNets. */
export function table2Network(method: string, depth: number | undefined): NetworkOptions | undefined {
  if (depth === undefined) return undefined;
  const dense = /^DenseNet(-BC)? \(k=(\d+)\)$/.exec(method);
  if (dense) {
    const bottleneck = dense[1] !== undefined;
    const compression = bottleneck ? 0.5 : 1;
    return { family: 'densenet', depth, growthRate: Number(dense[2]), bottleneck, compression, dropout: 0 };
  }
  switch (method) {
    case 'ResNet':
    case 'ResNet (reported by Stochastic Depth)':
      return { ...RESNET, depth };
    case 'ResNet with Stochastic Depth':
      return { ...RESNET, depth, survival: 0.5 };
    case 'ResNet (pre-activation)':
      return { ...RESNET, depth, activation: 'pre', bottleneck: true };
    case 'Wide ResNet':
    case 'Wide ResNet with Dropout': {
      const width = WIDTHS[`${method} ${depth}`];
      if (width === undefined) return undefined;
      return { ...RESNET, depth, activation: 'pre', width, dropout: method === 'Wide ResNet' ? 0 : 0.4 };
    }
    default:
      return undefined;
  }
}
