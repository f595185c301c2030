import * as Plot from '@observablehq/plot';
import type { Experiment } from '../config/schema.js';
import type { EpochRow } from '../runs/epochs.js';
import { epochAxis } from './epoch-axis.js';
import { color, DASHES, type Figure, type LegendEntry, PAPER_COLOR, type Panel } from './figure.js';
import type { PublishedCurve } from './published-curve.js';

/** A run with its epochs, for learning curves. */
export interface RunCurve {
  /** `<experiment>/<run>`. */
  readonly name: string;
  readonly experiment: Experiment;
  readonly epochs: readonly EpochRow[];
}

const COLUMNS = [
  'run',
  'epoch',
  'learning_rate',
  'train_loss',
  'test_loss',
  'train_error',
  'validation_error',
  'test_error',
  'test_top5_error',
];

/**
 * Learning curves: loss (left) and error (right), in training (dashed) and on the test images (solid); over them the
 * test error of published curves.
 */
export function curvesFigure(runs: readonly RunCurve[], published: readonly PublishedCurve[] = []): Figure {
  const last = Math.max(
    lastEpoch(runs),
    ...published.flatMap(({ points }) => points.map(({ epoch }) => epoch)),
  );
  const labels = runLabels(runs);
  const panel = (
    title: string,
    label: string,
    train: keyof EpochRow,
    test: keyof EpochRow,
    thin?: keyof EpochRow,
  ): Panel => ({
    title,
    width: 400,
    height: 280,
    options: {
      marginTop: 8,
      marginLeft: 48,
      marginBottom: 38,
      x: epochAxis(last),
      y: { label, labelAnchor: 'center', labelArrow: 'none', grid: true, zero: true, nice: true },
      marks: [
        Plot.frame({ strokeOpacity: 0.6 }),
        ...runs.flatMap(({ epochs }, index) => [
          Plot.lineY(epochs, { x: 'epoch', y: train, stroke: color(index), strokeDasharray: DASHES }),
          Plot.lineY(epochs, { x: 'epoch', y: test, stroke: color(index), strokeWidth: 2 }),
          ...(thin ? [Plot.lineY(epochs, { x: 'epoch', y: thin, stroke: color(index) })] : []),
          ...(epochs.length === 1 ? [Plot.dot(epochs, { x: 'epoch', y: test, fill: color(index) })] : []),
        ]),
        ...(test === 'testError' ? published : []).map(({ points }, index) =>
          Plot.lineY(points, { x: 'epoch', y: 'testError', ...publishedLine(index), strokeWidth: 2 }),
        ),
      ],
    },
  });
  const top5 = runs.some(({ epochs }) => epochs.some(({ testTop5Error }) => testTop5Error !== undefined));
  return {
    name: 'curves',
    caption: `Learning curves. Solid: test images, after each epoch. Dashed: training images as they were trained, with augmentation and dropout, while the weights moved.${top5 ? ' Thin: top-5 error on the test images.' : ''}${published.length > 0 ? ' Grey: test error as published.' : ''}`,
    panels: [
      panel('Loss', 'cross-entropy', 'trainLoss', 'testLoss'),
      panel('Error', 'error (%)', 'trainError', 'testError', top5 ? 'testTop5Error' : undefined),
    ],
    legend: [
      ...labels.map((label, index): LegendEntry => ({ label, color: color(index), symbol: 'solid' })),
      ...published.map(
        ({ name }, index): LegendEntry => ({
          label: `${name} (published)`,
          color: PAPER_COLOR,
          symbol: index % 2 === 0 ? 'solid' : 'dashed',
        }),
      ),
    ],
    columns: COLUMNS,
    points: [
      ...points(runs),
      ...published.flatMap(({ name, points }) =>
        points.map(({ epoch, testError }) => ({ run: name, epoch, test_error: testError })),
      ),
    ],
  };
}

/** Of several, every second one is dashed. */
function publishedLine(index: number) {
  return { stroke: PAPER_COLOR, strokeDasharray: index % 2 === 0 ? undefined : DASHES };
}

/** Names for people: `quickstart seed 1`; where two would have the same, the runs' own. */
function runLabels(runs: readonly RunCurve[]): string[] {
  const short = runs.map(({ experiment: { name, training } }) => `${name} seed ${training.seed}`);
  return new Set(short).size === runs.length ? short : runs.map(({ name }) => name);
}

/** Figure 4 (right) of the paper: training loss (dashed, right axis) and test error (solid, left axis) of two runs. */
export function figure4Right(first: RunCurve, second: RunCurve): Figure {
  const runs = [first, second];
  const labels = runLabels(runs);
  const rows = runs.flatMap(({ epochs }) => epochs);
  const losses = rows.map(({ trainLoss }) => Math.max(trainLoss, 1e-6));
  const errors = rows.map(({ testError }) => testError);
  const [low, high] = [
    Math.floor(Math.log10(Math.min(...losses))),
    Math.ceil(Math.log10(Math.max(...losses))),
  ];
  const top = Math.max(high, low + 1);
  const bottomError = Math.max(0, Math.floor(Math.min(...errors) - 1));
  const topError = Math.min(100, Math.ceil(Math.max(...errors) + 1));
  const toErrorAxis = (loss: number) =>
    bottomError + ((Math.log10(Math.max(loss, 1e-6)) - low) / (top - low)) * (topError - bottomError);
  const ticks = lossTicks(low, top);
  const options: Plot.PlotOptions = {
    marginTop: 8,
    marginLeft: 48,
    marginRight: 56,
    marginBottom: 38,
    x: epochAxis(lastEpoch(runs)),
    y: { domain: [bottomError, topError], grid: true },
    marks: [
      Plot.frame({ strokeOpacity: 0.6 }),
      Plot.axisY({ anchor: 'left', label: 'test error (%)', labelAnchor: 'center', labelArrow: 'none' }),
      Plot.axisY(ticks.map(toErrorAxis), {
        anchor: 'right',
        label: 'training loss',
        labelAnchor: 'center',
        labelArrow: 'none',
        tickFormat: (_: unknown, index: number) => `${ticks[index]}`,
      }),
      ...runs.flatMap(({ epochs }, index) => [
        Plot.lineY(epochs, {
          x: 'epoch',
          y: (row: EpochRow) => toErrorAxis(row.trainLoss),
          stroke: color(index),
          strokeDasharray: DASHES,
        }),
        Plot.lineY(epochs, { x: 'epoch', y: 'testError', stroke: color(index), strokeWidth: 2 }),
      ]),
    ],
  };
  return {
    name: 'figure-4-right',
    caption:
      'Training loss (dashed, right axis, logarithmic) and test error (solid, left axis) by epoch, as Figure 4 (right) of the paper.',
    panels: [{ width: 560, height: 340, options }],
    legend: labels.flatMap((label, index): LegendEntry[] => [
      { label: `test error: ${label}`, color: color(index), symbol: 'solid' },
      { label: `training loss: ${label}`, color: color(index), symbol: 'dashed' },
    ]),
    columns: COLUMNS,
    points: points(runs),
  };
}

/** Values of a logarithmic axis that have a number, between two powers of ten: each also times 2 and 5 if few. */
function lossTicks(low: number, top: number): number[] {
  const powers = Array.from({ length: top - low }, (_, i) => low + i);
  const times = top - low > 3 ? [1] : [1, 2, 5];
  return [...powers.flatMap((power) => times.map((value) => round(value * 10 ** power))), round(10 ** top)];
}

/** 2·10⁻³ is 0.002, not 0.002000…1. */
function round(value: number): number {
  return Number(value.toPrecision(1));
}

function lastEpoch(runs: readonly RunCurve[]): number {
  return Math.max(...runs.flatMap(({ epochs }) => epochs.map(({ epoch }) => epoch)));
}

function points(runs: readonly RunCurve[]) {
  return runs.flatMap(({ name, epochs }) =>
    epochs.map((row) => ({
      run: name,
      epoch: row.epoch,
      learning_rate: row.learningRate,
      train_loss: row.trainLoss,
      test_loss: row.testLoss,
      train_error: row.trainError,
      validation_error: row.validationError,
      test_error: row.testError,
      test_top5_error: row.testTop5Error,
    })),
  );
}
