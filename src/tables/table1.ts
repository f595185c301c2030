import { multiplyAdds, parameterCount } from '../networks/counts.js';
import { stageTable } from '../networks/stage-table.js';
import { formatCount } from '../util/format.js';
import { authorsNetwork161, authorsNetwork264, table1Networks } from './imagenet-networks.js';
import type { Sheet } from './sheet.js';

/**
 * Table 1 of the paper, derived from the networks themselves, with the exact counts of each. With references:
 * DenseNet-161 and DenseNet-264 (k=48) of the authors' code in columns of their own.
 */
export function table1Sheet({ references = false }: { readonly references?: boolean } = {}): Sheet {
  const columns = [
    ...table1Networks().map(({ name, options, network }) => ({
      title: `${name} (k=${options.growthRate})`,
      network,
    })),
    ...(references
      ? [authorsNetwork161(), authorsNetwork264()].map(({ name, network }) => ({
          title: `${name} (k=48; authors' code)`,
          network,
        }))
      : []),
  ];
  const lines = columns.map(({ network }) =>
    stageTable(network).flatMap(({ title, layers }) =>
      layers.map(({ text, output }, index) => ({
        name: index === 0 ? title : '',
        size: `${output.height}×${output.width}`,
        text,
      })),
    ),
  );
  const titles = columns.map(({ title }) => title);
  const counts = (name: string, count: (network: (typeof columns)[number]['network']) => number) => [
    name,
    '',
    ...columns.map(({ network }) => formatCount(count(network))),
  ];
  return {
    title: 'Table 1: DenseNet architectures for ImageNet',
    columns: ['layers', 'output size', ...titles],
    right: ['output size'],
    drop: [...titles.slice(1).toReversed(), 'output size'],
    rows: [
      ...lines[0]!.map(({ name, size }, index) => [name, size, ...lines.map((line) => line[index]!.text)]),
      counts('Parameters', parameterCount),
      counts('Multiply-adds', multiplyAdds),
    ],
    notes: [
      'Each conv is BN-ReLU-Conv, but for the first. The counts are exact; the paper does not print them.',
    ],
  };
}
