import * as Plot from '@observablehq/plot';
import type { Experiment } from '../config/schema.js';
import type { EpochRow } from '../runs/epochs.js';
import { color, DASHES, type Figure, type LegendEntry, type Panel } from './figure.js';

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

/** Learning curves: loss (left) and error (right), in training (dashed) and on the test images (solid). */
export function curvesFigure(runs: readonly RunCurve[]): Figure {
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
      x: { label: 'epoch', labelAnchor: 'center', labelArrow: 'none', domain: epochDomain(runs) },
      y: { label, labelAnchor: 'center', labelArrow: 'none', grid: true, zero: true, nice: true },
      marks: [
        Plot.frame({ strokeOpacity: 0.6 }),
        ...runs.flatMap(({ epochs }, index) => [
          Plot.lineY(epochs, { x: 'epoch', y: train, stroke: color(index), strokeDasharray: DASHES }),
          Plot.lineY(epochs, { x: 'epoch', y: test, stroke: color(index), strokeWidth: 2 }),
          ...(thin ? [Plot.lineY(epochs, { x: 'epoch', y: thin, stroke: color(index) })] : []),
          ...(epochs.length === 1 ? [Plot.dot(epochs, { x: 'epoch', y: test, fill: color(index) })] : []),
        ]),
      ],
    },
  });
  const top5 = runs.some(({ epochs }) => epochs.some(({ testTop5Error }) => testTop5Error !== undefined));
  return {
    name: 'curves',
    caption: `Learning curves. Solid: test images, after each epoch. Dashed: training images as they were trained, with augmentation and dropout, while the weights moved.${top5 ? ' Thin: top-5 error on the test images.' : ''}`,
    panels: [
      panel('Loss', 'cross-entropy', 'trainLoss', 'testLoss'),
      panel('Error', 'error (%)', 'trainError', 'testError', top5 ? 'testTop5Error' : undefined),
    ],
    legend: runs.map(
      ({ name }, index): LegendEntry => ({ label: name, color: color(index), symbol: 'solid' }),
    ),
    columns: COLUMNS,
    points: points(runs),
  };
}

/** Figure 4 (right) of the paper: training loss (dashed, right axis) and test error (solid, left axis) of two runs. */
export function figure4Right(first: RunCurve, second: RunCurve): Figure {
  const runs = [first, second];
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
  const ticks = Array.from({ length: top - low + 1 }, (_, i) => low + i);
  const options: Plot.PlotOptions = {
    marginTop: 8,
    marginLeft: 48,
    marginRight: 56,
    marginBottom: 38,
    x: { label: 'epoch', labelAnchor: 'center', labelArrow: 'none', domain: epochDomain(runs) },
    y: { domain: [bottomError, topError], grid: true },
    marks: [
      Plot.frame({ strokeOpacity: 0.6 }),
      Plot.axisY({ anchor: 'left', label: 'test error (%)', labelAnchor: 'center', labelArrow: 'none' }),
      Plot.axisY(
        ticks.map((tick) => toErrorAxis(10 ** tick)),
        {
          anchor: 'right',
          label: 'training loss',
          labelAnchor: 'center',
          labelArrow: 'none',
          tickFormat: (_: unknown, index: number) => lossTick(ticks[index]!),
        },
      ),
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
    legend: runs.flatMap(({ name }, index): LegendEntry[] => [
      { label: `test error: ${name}`, color: color(index), symbol: 'solid' },
      { label: `training loss: ${name}`, color: color(index), symbol: 'dashed' },
    ]),
    columns: COLUMNS,
    points: points(runs),
  };
}

function lossTick(power: number): string {
  return power >= 0 ? `${10 ** power}` : (10 ** power).toFixed(-power);
}

function epochDomain(runs: readonly RunCurve[]): [number, number] {
  const last = Math.max(...runs.flatMap(({ epochs }) => epochs.map(({ epoch }) => epoch)));
  return last > 1 ? [1, last] : [0, 2];
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
