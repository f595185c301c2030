import { variantOf } from '../networks/build.js';
import type { Measurement } from '../tables/measurements.js';
import type { Figure } from './figure.js';
import { growthRates, parameterFigure } from './parameter-figure.js';

const VARIANTS = ['DenseNet', 'DenseNet-B', 'DenseNet-C', 'DenseNet-BC'];

/**
 * Figure 4 (left) of the paper: test error against parameters for DenseNet, -B, -C and -BC, and the paper's own
 * DenseNets of the same growth rates. Networks of other families are left out. Throws as `parameterFigure`.
 */
export function figure4Left(all: readonly Measurement[]): Figure {
  const measured = all.filter(({ experiment }) => experiment.network.family === 'densenet');
  const rates = growthRates(measured);
  const label = (name: string, k: number) => (rates.length > 1 ? `${name} (k=${k})` : name);
  return parameterFigure({
    name: 'figure-4-left',
    subject: `DenseNet and its variants${rates.length === 1 ? `, k=${rates[0]}` : ''}`,
    original: 'Figure 4 (left)',
    measured,
    seriesOf: (network) =>
      network.family === 'densenet' ? label(variantOf(network), network.growthRate) : variantOf(network),
    order: rates.flatMap((k) => VARIANTS.map((name) => label(name, k))),
    isPaper: (network) => network.family === 'densenet' && rates.includes(network.growthRate),
  });
}
