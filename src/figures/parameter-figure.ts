import * as Plot from '@observablehq/plot';
import { changedKeys, recipe } from '../config/identity.js';
import { buildNetwork, type NetworkOptions, variantOf } from '../networks/build.js';
import { parameterCount } from '../networks/counts.js';
import type { Measurement } from '../tables/measurements.js';
import { paperTable2, TABLE2_COLUMNS, type Table2Column } from '../tables/paper-csv.js';
import { table2Network } from '../tables/table2-networks.js';
import { UserError } from '../util/errors.js';
import { color, type Figure, type LegendEntry, PAPER_COLOR } from './figure.js';

/** A network in a figure of error against parameters. */
interface Point {
  readonly series: string;
  readonly source: 'measured' | 'paper';
  readonly depth: number;
  /** Of DenseNets. */
  readonly growth_rate: number | undefined;
  readonly parameters: number;
  /** Mean over seeds, in percent. */
  readonly error: number;
  readonly n: number | undefined;
  readonly sd: number | undefined;
}

/** What a figure of error against parameters shows. */
export interface ParameterFigure {
  readonly name: string;
  /**
   * What the caption compares, `DenseNet and its variants`, and which figure of the paper that is, `Figure 4 (left)`.
   */
  readonly subject: string;
  readonly original: string;
  readonly measured: readonly Measurement[];
  /** The line that a network is on. */
  readonly seriesOf: (network: NetworkOptions) => string;
  /** The lines, in the order of the legend; those without a point are left out. */
  readonly order: readonly string[];
  /** Whether a network of Table 2 is drawn beside what was measured on its column. */
  readonly isPaper: (network: NetworkOptions) => boolean;
}

/**
 * Draws test error against parameters. On a column of Table 2 the paper's own networks are drawn too. All
 * measurements must be of one dataset and one recipe, or a UserError (usage) says how they differ.
 */
export function parameterFigure(figure: ParameterFigure): Figure {
  const { name, subject, original, measured, seriesOf, order } = figure;
  const dataset = oneDataset(measured);
  requireOneRecipe(measured, name.replace('-', ' '));
  const own = measured.map(
    ({ experiment: { network }, parameters, mean, n, sd }): Point => ({
      series: seriesOf(network),
      source: 'measured',
      depth: network.depth,
      growth_rate: growthRate(network),
      parameters,
      error: mean,
      n,
      sd,
    }),
  );
  const series = order.filter((name) => own.some((point) => point.series === name));
  const printed = paperPoints(dataset, figure.isPaper);
  const points = [...own.sort((a, b) => a.parameters - b.parameters), ...printed.map(({ point }) => point)];
  const unit = unitOf(Math.max(...points.map(({ parameters }) => parameters)));
  const inUnit = ({ parameters }: Point) => parameters / unit.size;
  const largest = Math.max(...points.map(inUnit));
  const seeds = Math.max(...own.map(({ n }) => n ?? 0));
  return {
    name,
    caption: `Test error on ${dataset} against parameters of ${subject}, as ${original} of the paper. ${seeds > 1 ? `Points: mean over up to ${seeds} seeds; bars: ± one sample standard deviation.` : 'One seed each.'}${printed.length > 0 ? ' Grey: as printed in Table 2 of the paper.' : ''}`,
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
            label: `parameters (${unit.name})`,
            labelAnchor: 'center',
            labelArrow: 'none',
            domain: [0, 1.05 * largest],
          },
          y: { label: 'test error (%)', labelAnchor: 'center', labelArrow: 'none', grid: true, nice: true },
          marks: [
            Plot.frame({ strokeOpacity: 0.6 }),
            ...series.flatMap((name, index) =>
              seriesMarks(
                own.filter((point) => point.series === name),
                inUnit,
                color(index),
              ),
            ),
            ...paperMarks(printed, inUnit, largest / 2),
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

/** The growth rates among some networks, rising. */
export function growthRates(measured: readonly Measurement[]): number[] {
  const all = measured.flatMap(({ experiment }) => growthRate(experiment.network) ?? []);
  return [...new Set(all)].sort((a, b) => a - b);
}

function growthRate(network: NetworkOptions): number | undefined {
  return network.family === 'densenet' ? network.growthRate : undefined;
}

/** Thousands, where millions would read 0.005. */
function unitOf(largest: number): { readonly name: string; readonly size: number } {
  return largest < 500_000 ? { name: 'thousands', size: 1e3 } : { name: 'millions', size: 1e6 };
}

/** Where a point stands on the axis of parameters. */
type Place = (point: Point) => number;

/** A network of Table 2 and its name beside its point. */
interface PaperPoint {
  readonly point: Point;
  readonly label: string;
}

/** Names stand beside the paper's points, on the side that has room. */
function paperMarks(printed: readonly PaperPoint[], inUnit: Place, middle: number): Plot.Markish[] {
  const place = {
    x: ({ point }: PaperPoint) => inUnit(point),
    y: ({ point }: PaperPoint) => point.error,
  };
  const side = (own: readonly PaperPoint[], textAnchor: 'start' | 'end', dx: number) =>
    Plot.text(own, { ...place, text: 'label', textAnchor, dx, fill: PAPER_COLOR });
  const onLeft = ({ point }: PaperPoint) => inUnit(point) < middle;
  return [
    Plot.dot(printed, { ...place, fill: PAPER_COLOR, r: 4 }),
    side(printed.filter(onLeft), 'start', 8),
    side(
      printed.filter((point) => !onLeft(point)),
      'end',
      -8,
    ),
  ];
}

function seriesMarks(points: readonly Point[], inUnit: Place, stroke: string): Plot.Markish[] {
  const spread = points.filter(({ sd }) => sd !== undefined);
  return [
    Plot.line(points, { x: inUnit, y: 'error', stroke, strokeWidth: 1.5 }),
    Plot.ruleX(spread, {
      x: inUnit,
      y1: ({ error, sd }: Point) => error - sd!,
      y2: ({ error, sd }: Point) => error + sd!,
      stroke,
      strokeWidth: 1.5,
      marker: 'tick',
    }),
    Plot.dot(points, { x: inUnit, y: 'error', fill: stroke, r: 4 }),
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

function requireOneRecipe(measured: readonly Measurement[], command: string): void {
  const alike = ({ experiment }: Measurement) => ({
    ...recipe(experiment),
    dropout: experiment.network.dropout,
  });
  const keys = new Set(measured.flatMap((m) => changedKeys(alike(measured[0]!), alike(m))));
  if (keys.size === 0) return;
  throw new UserError(
    'usage',
    `the runs differ in more than the network: ${[...keys].join(', ')}`,
    `Name experiments that were trained alike: densenet ${command} EXPERIMENT…`,
  );
}

/** The networks of Table 2 on this dataset, with their exact parameters. */
function paperPoints(dataset: string, isPaper: (network: NetworkOptions) => boolean): PaperPoint[] {
  const column = TABLE2_COLUMNS.find((name) => name === dataset) as Table2Column | undefined;
  if (!column) return [];
  return paperTable2().flatMap(({ method, depth, errors }): PaperPoint[] => {
    const options = table2Network(method, depth);
    const error = errors[column];
    if (!options || error === undefined || !isPaper(options)) return [];
    const classes = column.startsWith('C100') ? 100 : 10;
    const network = buildNetwork(options, { channels: 3, height: 32, width: 32, classes });
    const point: Point = {
      series: variantOf(options),
      source: 'paper',
      depth: options.depth,
      growth_rate: growthRate(options),
      parameters: parameterCount(network),
      error,
      n: undefined,
      sd: undefined,
    };
    return [{ point, label: network.title }];
  });
}
