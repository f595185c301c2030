import { definitionOf } from '../datasets/definitions.js';
import { buildNetwork, type NetworkOptions } from '../networks/build.js';
import { parameterCount } from '../networks/counts.js';
import { methodName } from './labels.js';
import type { Measurement } from './measurements.js';
import { paperTable2 } from './paper-csv.js';
import { table2Network } from './table2-networks.js';

export const PARAMETER_COUNT_COLUMNS = [
  'method',
  'depth',
  'growth_rate',
  'image_channels',
  'classes',
  'paper',
  'parameters',
] as const;

export type ParameterCountRow = Readonly<
  Partial<Record<(typeof PARAMETER_COUNT_COLUMNS)[number], string | number>>
>;

/**
 * The rows of parameter-count.csv: every DenseNet and ResNet of Table 2 for 10 and for 100 classes, then the other
 * networks that were trained. `paper` is what Table 2 prints, once per network; it is the count for 10 classes.
 * `parameters` is exact: trainable parameters, batch normalisation included.
 */
export function parameterCountRows(measured: readonly Measurement[]): ParameterCountRow[] {
  const printed = paperTable2().flatMap((row) => {
    const options = table2Network(row.method, row.depth);
    if (!options) return [];
    return [10, 100].map((classes) => {
      const network = buildNetwork(options, { channels: 3, height: 32, width: 32, classes });
      const paper = classes === 10 ? row.params : undefined;
      return countRow(options, 3, classes, parameterCount(network), paper);
    });
  });
  const trained = measured.map(({ experiment, parameters }) => {
    const { image, classNames } = definitionOf(experiment.dataset);
    return countRow(experiment.network, image.channels, classNames.length, parameters);
  });
  const rows = new Map<string, ParameterCountRow>();
  for (const row of [...printed, ...trained]) {
    const key = JSON.stringify([row.method, row.depth, row.image_channels, row.classes]);
    if (!rows.has(key)) rows.set(key, row);
  }
  return [...rows.values()];
}

function countRow(
  network: NetworkOptions,
  imageChannels: number,
  classes: number,
  parameters: number,
  paper?: string,
): ParameterCountRow {
  return {
    method: methodName(network),
    depth: network.depth,
    growth_rate: network.family === 'densenet' ? network.growthRate : undefined,
    image_channels: imageChannels,
    classes,
    paper,
    parameters,
  };
}
