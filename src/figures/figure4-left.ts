import * as Plot from '@observablehq/plot';
import { changedKeys } from '../config/load.js';
import { parameterCount } from '../networks/counts.js';
import { buildDenseNet, variant } from '../networks/densenet.js';
import type { Measurement } from '../results/measurements.js';
import { paperTable2, TABLE2_COLUMNS, type Table2Column } from '../results/paper-tables.js';
import { UserError } from '../util/errors.js';
import { color, type Figure, type LegendEntry, PAPER_COLOR } from './figure.js';

/** A point of Figure 4 (left). */
interface Point {
  readonly series: string;
  readonly source: 'measured' | 'paper';
  readonly depth: number;
  readonly growth_rate: number;
  readonly parameters: number;
  /** Mean over seeds, in percent. */
  readonly error: number;
  readonly n: number | undefined;
  readonly sd: number | undefined;
}

const VARIANTS = ['DenseNet', 'DenseNet-B', 'DenseNet-C', 'DenseNet-BC'];

/**
 * Figure 4 (left) of the paper: test error against parameters for DenseNet, -B, -C and -BC. On a column of Table 2 the
 * paper's own DenseNets of the same growth rates are drawn too. All measurements must be of one dataset and one recipe,
 * or a UserError (usage) says how they differ.
 */
export function figure4Left(all: readonly Measurement[]): Figure {
  const measured = all.flatMap(({ experiment: { network, ...experiment }, ...rest }) =>
    network.family === 'densenet' ? [{ ...rest, experiment: { ...experiment, network } }] : [],
  );
  const dataset = oneDataset(measured);
  requireOneRecipe(measured);
  const growthRates = [...new Set(measured.map(({ experiment }) => experiment.network.growthRate))].sort(
    (a, b) => a - b,
  );
  const label = (name: string, k: number) => (growthRates.length > 1 ? `${name} (k=${k})` : name);
  const own = measured.map(
    ({ experiment: { network }, parameters, mean, n, sd }): Point => ({
      series: label(variant(network), network.growthRate),
      source: 'measured',
      depth: network.depth,
      growth_rate: network.growthRate,
      parameters,
      error: mean,
      n,
      sd,
    }),
  );
  const series = growthRates
    .flatMap((k) => VARIANTS.map((name) => label(name, k)))
    .filter((name) => own.some((point) => point.series === name));
  const printed = paperPoints(dataset, growthRates);
  const points = [...own.sort((a, b) => a.parameters - b.parameters), ...printed];
  const k = growthRates.length === 1 ? `, k=${growthRates[0]}` : '';
  const largest = Math.max(...points.map(inMillions));
  const seeds = Math.max(...own.map(({ n }) => n ?? 0));
  return {
    name: 'figure-4-left',
    caption: `Test error on ${dataset} against parameters of DenseNet and its variants${k}, as Figure 4 (left) of the paper. ${seeds > 1 ? `Points: mean over up to ${seeds} seeds; bars: ± one sample standard deviation.` : 'One seed each.'}${printed.length > 0 ? ' Grey: as printed in Table 2 of the paper.' : ''}`,
    panels: [
      {
        width: 520,
        height: 360,
        options: {
          marginTop: 8,
          marginLeft: 52,
          marginBottom: 40,
          marginRight: 16,
          x: {
            label: 'parameters (millions)',
            labelAnchor: 'center',
            labelArrow: 'none',
            domain: [0, 1.05 * largest],
          },
          y: { label: 'test error (%)', labelAnchor: 'center', labelArrow: 'none', grid: true, nice: true },
          marks: [
            Plot.frame({ strokeOpacity: 0.6 }),
            ...series.flatMap((name, index) =>
              seriesMarks(
                points.filter((p) => p.source === 'measured' && p.series === name),
                color(index),
              ),
            ),
            Plot.dot(printed, { x: inMillions, y: 'error', fill: PAPER_COLOR, r: 4 }),
            ...paperLabels(printed, largest / 2),
          ],
        },
      },
    ],
    legend: [
      ...series.map((name, index): LegendEntry => ({ label: name, color: color(index), symbol: 'point' })),
      ...(printed.length > 0 ? [{ label: 'paper', color: PAPER_COLOR, symbol: 'point' } as const] : []),
    ],
    columns: ['series', 'source', 'depth', 'growth_rate', 'parameters', 'error', 'n', 'sd'],
    points: points.map((point) => ({ ...point })),
  };
}

function inMillions({ parameters }: Point): number {
  return parameters / 1e6;
}

/** Names beside the paper's points, on the side that has room. */
function paperLabels(points: readonly Point[], middle: number): Plot.Markish[] {
  const side = (own: readonly Point[], anchor: 'start' | 'end', dx: number) =>
    Plot.text(own, {
      x: inMillions,
      y: 'error',
      text: ({ series, depth, growth_rate }: Point) => `${series} (L=${depth}, k=${growth_rate})`,
      textAnchor: anchor,
      dx,
      fill: PAPER_COLOR,
    });
  return [
    side(
      points.filter((point) => inMillions(point) < middle),
      'start',
      8,
    ),
    side(
      points.filter((point) => inMillions(point) >= middle),
      'end',
      -8,
    ),
  ];
}

function seriesMarks(points: readonly Point[], stroke: string): Plot.Markish[] {
  const spread = points.filter(({ sd }) => sd !== undefined);
  return [
    Plot.line(points, { x: inMillions, y: 'error', stroke, strokeWidth: 1.5 }),
    Plot.ruleX(spread, {
      x: inMillions,
      y1: ({ error, sd }: Point) => error - sd!,
      y2: ({ error, sd }: Point) => error + sd!,
      stroke,
      strokeWidth: 1.5,
      marker: 'tick',
    }),
    Plot.dot(points, { x: inMillions, y: 'error', fill: stroke, r: 4 }),
  ];
}

function oneDataset(measured: readonly Measurement[]): string {
  const datasets = [...new Set(measured.map(({ dataset }) => dataset))];
  if (datasets.length === 1) return datasets[0]!;
  throw new UserError(
    'usage',
    datasets.length === 0
      ? 'there are no finished runs to draw'
      : `the runs are of several datasets: ${datasets.join(', ')}`,
    datasets.length === 0
      ? 'Train some: densenet sweep, see docs/figures.md.'
      : 'Choose one with --dataset, or name the experiments to draw.',
  );
}

function requireOneRecipe(measured: readonly Measurement[]): void {
  const recipe = ({ experiment }: Measurement) => {
    const { seed: _seed, memoryEfficient: _memory, ...training } = experiment.training;
    return { training, dataset: experiment.dataset, dropout: experiment.network.dropout };
  };
  const keys = new Set(measured.flatMap((m) => changedKeys(recipe(measured[0]!), recipe(m))));
  if (keys.size === 0) return;
  throw new UserError(
    'usage',
    `the runs differ in more than the network: ${[...keys].join(', ')}`,
    'Name experiments that were trained alike: densenet figure 4-left EXPERIMENT…',
  );
}

/** The DenseNets of Table 2 on this dataset, with their exact parameters. */
function paperPoints(dataset: string, growthRates: readonly number[]): Point[] {
  const column = TABLE2_COLUMNS.find((name) => name === dataset) as Table2Column | undefined;
  if (!column) return [];
  return paperTable2().flatMap(({ method, depth, errors }) => {
    const found = /^(DenseNet(?:-BC)?) \(k=(\d+)\)$/.exec(method);
    const error = errors[column];
    if (!found || depth === undefined || error === undefined) return [];
    const growthRate = Number(found[2]);
    if (!growthRates.includes(growthRate)) return [];
    const bottleneck = found[1] === 'DenseNet-BC';
    const options = { depth, growthRate, bottleneck, compression: bottleneck ? 0.5 : 1, dropout: 0 };
    const classes = column.startsWith('C100') ? 100 : 10;
    const network = buildDenseNet(options, { channels: 3, height: 32, width: 32, classes });
    return [
      {
        series: found[1]!,
        source: 'paper',
        depth,
        growth_rate: growthRate,
        parameters: parameterCount(network),
        error,
        n: undefined,
        sd: undefined,
      },
    ];
  });
}
