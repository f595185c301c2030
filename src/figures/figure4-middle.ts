import { type NetworkOptions, variantOf } from '../networks/build.js';
import { methodName } from '../tables/labels.js';
import type { Measurement } from '../tables/measurements.js';
import type { Figure } from './figure.js';
import { growthRates, parameterFigure } from './parameter-figure.js';

/**
 * Figure 4 (middle) of the paper: test error against parameters for DenseNet-BC and pre-activation ResNets, and the
 * paper's own (DenseNet-BC of the same growth rates). Other networks are left out. Throws as `parameterFigure`.
 */
export function figure4Middle(all: readonly Measurement[]): Figure {
  const measured = all.filter(({ experiment }) => belongs(experiment.network));
  const rates = growthRates(measured);
  const seriesOf = (network: NetworkOptions) =>
    network.family === 'densenet' && rates.length === 1 ? variantOf(network) : methodName(network);
  const names = [...new Set(measured.map(({ experiment }) => seriesOf(experiment.network)))];
  return parameterFigure({
    name: 'figure-4-middle',
    subject: `DenseNet-BC${rates.length === 1 ? `, k=${rates[0]},` : ''} and pre-activation ResNets`,
    original: 'Figure 4 (middle)',
    measured,
    seriesOf,
    order: names.sort(),
    isPaper: (network) =>
      belongs(network) && (network.family === 'resnet' || rates.includes(network.growthRate)),
  });
}

function belongs(network: NetworkOptions): boolean {
  if (network.family === 'densenet')
    return variantOf(network) === 'DenseNet-BC' && network.blocks === undefined;
  return variantOf(network) === 'ResNet (pre-activation)';
}
