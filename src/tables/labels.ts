import { definitionOf } from '../datasets/definitions.js';
import type { NetworkOptions } from '../networks/build.js';
import { type DenseNetOptions, firstChannels, stemOf, variant } from '../networks/densenet.js';
import { type ResNetOptions, resNetVariant } from '../networks/resnet.js';
import type { FinishedRun } from '../runs/finished-runs.js';
import { WIDTHS } from './table2-networks.js';

/** The method column of Table 2. */
export function methodName(network: NetworkOptions): string {
  return network.family === 'densenet' ? denseNetName(network) : resNetName(network);
}

/**
 * `DenseNet-BC (k=12)`. What differs from the paper's networks is named too: θ
 * other than 0.5, first channels other than usual, listed blocks.
 */
function denseNetName(network: DenseNetOptions): string {
  const { growthRate, compression, initialChannels, blocks } = network;
  const stem = blocks && stemOf(network) === 'cifar' ? ', CIFAR stem' : '';
  const usual = firstChannels({ ...network, initialChannels: undefined });
  const details = [
    `k=${growthRate}`,
    ...(compression === 1 || compression === 0.5 ? [] : [`θ=${compression}`]),
    ...(initialChannels === undefined || initialChannels === usual ? [] : [`k0=${initialChannels}`]),
    ...(blocks === undefined ? [] : [`blocks ${blocks.join('-')}${stem}`]),
  ];
  return `${variant(network)} (${details.join(', ')})`;
}

/**
 * `ResNet (pre-activation)`, `Wide ResNet with Dropout`. What differs from the paper's networks is named too: widths,
 * bottlenecks, survival probabilities, dropout, listed blocks.
 */
function resNetName(network: ResNetOptions): string {
  const { depth, activation, bottleneck, width, dropout, survival, blocks } = network;
  const usualWidth = WIDTHS[`${resNetVariant(network)} ${depth}`];
  const usualBlocks = bottleneck === (activation === 'pre');
  const details = [
    ...(width === 1 || width === usualWidth ? [] : [`k=${width}`]),
    ...(usualBlocks || width > 1 || blocks ? [] : [bottleneck ? 'bottleneck' : 'basic']),
    ...(survival === 1 || survival === 0.5 ? [] : [`p=${survival}`]),
    ...(dropout === 0 || dropout === 0.4 ? [] : [`dropout ${dropout}`]),
    ...(blocks === undefined ? [] : [`blocks ${blocks.join('-')}`]),
  ];
  return [resNetVariant(network), ...(details.length > 0 ? [`(${details.join(', ')})`] : [])].join(' ');
}

/**
 * What a run was trained and tested on, as a column of Table 2 (`C10+`) where it is one, or `ImageNet`. A run on a part
 * or a variant of the data or from given weights never is: `C10+ (first 500 images)`, `C10+ (JPEG)`.
 */
export function datasetLabel({
  experiment,
  subset,
  init,
  dataRemark,
}: Pick<FinishedRun, 'experiment' | 'subset' | 'init' | 'dataRemark'>): string {
  const { augmentation } = experiment.dataset;
  const both = augmentation.includes('shift') && augmentation.includes('mirror');
  const { shortName, table, trainCount } = definitionOf(experiment.dataset);
  // In Table 3 augmentation is the rule: what a run leaves out of it, the recipe's differences say.
  const remarks = [
    ...(both || table === 3 ? [] : [...new Set(augmentation)]),
    ...(dataRemark ? [dataRemark] : []),
    ...(subset !== undefined && subset < trainCount ? [`first ${subset} images`] : []),
    ...(init ? ['from given weights'] : []),
  ];
  return `${shortName}${both ? '+' : ''}${remarks.length > 0 ? ` (${remarks.join(', ')})` : ''}`;
}
