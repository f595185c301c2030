import * as Plot from '@observablehq/plot';
import { multiplyAdds, parameterCount } from '../networks/counts.js';
import { table1Networks } from '../tables/imagenet-networks.js';
import { type Measurement, meanAndSpread } from '../tables/measurements.js';
import { readTable } from '../tables/paper-csv.js';
import type { PaperRecipes } from '../tables/paper-recipe.js';
import { type Table3, table3 } from '../tables/table3.js';
import { COLORS, type Figure, type LegendEntry, PAPER_COLOR, type Panel } from './figure.js';

/** Where the depth stands beside its point: on the side of the line that is free. */
const BELOW = { textAnchor: 'end', dx: -7, dy: 7 } as const;
const ABOVE = { textAnchor: 'start', dx: 7, dy: -7 } as const;

/** A point of Figure 3. */
interface Point {
  readonly series: keyof typeof SERIES;
  readonly network: string;
  readonly parameters: number;
  /** Of one image of 224×224 pixels. */
  readonly multiply_adds: number;
  /** Top-1, single crop, in percent. */
  readonly error: number;
  readonly label: string;
}

const SERIES = {
  'DenseNet (paper)': COLORS[0],
  'ResNet (facebook/fb.resnet.torch)': PAPER_COLOR,
  'DenseNet (ours)': COLORS[1],
  'ResNet (ours)': COLORS[2],
} as const;

/**
 * Figure 3 of the paper: top-1 error on ImageNet (single crop) against parameters and against multiply-adds. The
 * counts are exact; the errors are those of Table 3 and of the ResNets that the paper compares with.
 */
export function figure3(measured: readonly Measurement[], recipes: PaperRecipes): Figure {
  const table = table3(measured, recipes);
  const points = [...densePoints(table), ...comparedPoints(table)];
  const series = (Object.keys(SERIES) as (keyof typeof SERIES)[]).filter((name) =>
    points.some((point) => point.series === name),
  );
  const errors = points.map(({ error }) => error);
  const panel = (title: string, x: 'parameters' | 'multiply_adds', unit: string, scale: number): Panel => ({
    title,
    width: 400,
    height: 320,
    options: {
      marginTop: 8,
      marginLeft: 48,
      marginBottom: 40,
      x: {
        label: unit,
        labelAnchor: 'center',
        labelArrow: 'none',
        domain: [0, 1.15 * Math.max(...points.map((point) => point[x] / scale))],
        ticks: 6,
      },
      y: {
        label: 'top-1 error (%)',
        labelAnchor: 'center',
        labelArrow: 'none',
        domain: [Math.floor(Math.min(...errors) - 0.5), Math.ceil(Math.max(...errors) + 0.2)],
        grid: true,
        ticks: 6,
      },
      marks: [
        Plot.frame({ strokeOpacity: 0.6 }),
        ...series.flatMap((name) => {
          const own = points.filter((point) => point.series === name);
          const place = { x: (point: Point) => point[x] / scale, y: 'error' };
          return [
            Plot.line(own, { ...place, stroke: SERIES[name], strokeWidth: 1.5, sort: x }),
            Plot.dot(own, { ...place, fill: SERIES[name], r: 4 }),
            Plot.text(own, { ...place, text: 'label', ...(name.startsWith('DenseNet (p') ? BELOW : ABOVE) }),
          ];
        }),
      ],
    },
  });
  return {
    name: 'figure-3',
    caption:
      'Top-1 error on the ImageNet validation set (single crop) against parameters (left) and multiply-adds of one image (right; the paper counts twice as many FLOPs), as Figure 3 of the paper. Errors of DenseNets: Table 3 of the paper; of ResNets: facebook/fb.resnet.torch, as in the paper. Beside the points: depth.',
    panels: [
      panel('Parameters', 'parameters', 'parameters (millions)', 1e6),
      panel('Multiply-adds', 'multiply_adds', 'multiply-adds (billions)', 1e9),
    ],
    legend: series.map((label): LegendEntry => ({ label, color: SERIES[label], symbol: 'point' })),
    columns: ['series', 'network', 'parameters', 'multiply_adds', 'error', 'label'],
    points: points.map((point) => ({ ...point })),
  };
}

function densePoints(table: Table3): Point[] {
  const networks = table1Networks();
  return table.rows
    .filter(({ source }) => source === 'paper')
    .flatMap((row, index) => {
      const { name, network } = networks[index]!;
      const counts = { parameters: parameterCount(network), multiply_adds: multiplyAdds(network) };
      const ours = row.measured.top1_single_crop;
      const printed = { series: 'DenseNet (paper)', network: name, label: depthOf(name) } as const;
      return [
        { ...printed, ...counts, error: row.paper.top1_single_crop! },
        ...(ours
          ? [
              {
                series: 'DenseNet (ours)',
                network: name,
                ...counts,
                error: ours.mean,
                label: meanAndSpread(ours),
              } as const,
            ]
          : []),
      ];
    });
}

/** `DenseNet-121` → `121`. */
function depthOf(network: string): string {
  return network.split('-').at(-1)!;
}

/** The ResNets of the paper's figure; ours, where they were trained by the recipe of the DenseNets. */
function comparedPoints({ others }: Table3): Point[] {
  return readTable('compared-networks').flatMap(
    ({ network, parameters, multiply_adds, top1_single_crop }) => {
      const name = network!;
      const counts = { parameters: Number(parameters), multiply_adds: Number(multiply_adds) };
      const ours = others.find(({ measurement, differences }) => {
        const { family, depth } = measurement.experiment.network;
        const same = family === 'resnet' && `${depth}` === depthOf(name);
        const whole = measurement.dataset === 'ImageNet' && differences.length === 0;
        return same && whole && measurement.parameters === counts.parameters;
      })?.measurement;
      const printed = { series: 'ResNet (facebook/fb.resnet.torch)', label: depthOf(name) } as const;
      return [
        { ...printed, network: name, ...counts, error: Number(top1_single_crop) },
        ...(ours
          ? [
              {
                series: 'ResNet (ours)',
                network: name,
                ...counts,
                error: ours.mean,
                label: meanAndSpread(ours),
              } as const,
            ]
          : []),
      ];
    },
  );
}
