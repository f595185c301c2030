import * as Plot from '@observablehq/plot';
import type { RunEvaluation } from '../runs/evaluation.js';
import { shorten } from '../util/shorten.js';
import { colorBar } from './color-bar.js';
import { COLORS, type Figure } from './figure.js';

const SIDE = 360;

/** Names of more classes would not be readable. */
const MOST_NAMES = 30;

const SCHEME: Plot.ColorScheme = 'blues';

interface Cell {
  readonly label: number;
  readonly predicted: number;
  readonly images: number;
  /** Of the images of the class. */
  readonly share: number;
}

/** The confusion matrix as a picture: every row is a class, and its shares add up to 1. */
export function confusionFigure({ classNames, confusion, count }: RunEvaluation): Figure {
  const totals = new Map<number, number>();
  for (const [label, , images] of confusion) totals.set(label, (totals.get(label) ?? 0) + images);
  const cells = confusion.map(
    ([label, predicted, images]): Cell => ({ label, predicted, images, share: images / totals.get(label)! }),
  );
  const classes = classNames.length;
  const named = classes <= MOST_NAMES;
  const names = classNames.map((name) => shorten(name, 16));
  const room = named ? 12 + 6 * Math.max(...names.map(({ length }) => length)) : 40;
  const domain = Array.from({ length: classes }, (_, c) => c);
  const ticks = named ? domain : domain.filter((c) => c % Math.ceil(classes / 10) === 0);
  const axis = (label: string) => ({
    label,
    labelAnchor: 'center' as const,
    labelArrow: 'none' as const,
    domain: [-0.5, classes - 0.5],
    ticks,
    tickFormat: (c: number) => (named ? names[c]! : `${c}`),
    tickSize: 3,
  });
  const numbered = classes <= 12;
  return {
    name: 'confusion',
    caption: `Confusion matrix on ${count} test images: of the images of each class (rows), the share that was taken for each class (columns).${numbered ? ' Numbers are images.' : ''}`,
    panels: [
      {
        width: SIDE + room,
        height: SIDE + room,
        options: {
          marginLeft: room + 16,
          marginBottom: room + 16,
          marginTop: 6,
          marginRight: 6,
          x: { ...axis('taken for'), tickRotate: named ? -90 : 0 },
          y: { ...axis('class'), reverse: true },
          color: { type: 'linear', scheme: SCHEME, domain: [0, 1] },
          marks: [
            Plot.rect([0], { x1: -0.5, x2: classes - 0.5, y1: -0.5, y2: classes - 0.5, fill: '#f7fbff' }),
            Plot.rect(cells, {
              x1: ({ predicted }: Cell) => predicted - 0.5,
              x2: ({ predicted }: Cell) => predicted + 0.5,
              y1: ({ label }: Cell) => label - 0.5,
              y2: ({ label }: Cell) => label + 0.5,
              fill: 'share',
              inset: 0,
              shapeRendering: 'crispEdges',
            }),
            ...(numbered
              ? [
                  Plot.text(cells, {
                    x: 'predicted',
                    y: 'label',
                    text: ({ images }: Cell) => `${images}`,
                    fill: ({ share }: Cell) => (share > 0.5 ? '#fff' : '#111'),
                  }),
                ]
              : []),
            Plot.frame({ strokeOpacity: 0.6 }),
          ],
        },
      },
      colorBar({ height: SIDE + room, marginBottom: room + 16, scheme: SCHEME, title: 'share of the class' }),
    ],
    legend: [],
    columns: ['label', 'predicted', 'images'],
    points: cells.map(({ label, predicted, images }) => ({
      label: classNames[label]!,
      predicted: classNames[predicted]!,
      images,
    })),
  };
}

/** A reliability diagram: accuracy against confidence (Guo et al., 2017, Figure 1). */
export function reliabilityFigure({ calibration }: RunEvaluation): Figure {
  const { bins, error } = calibration;
  const width = 1 / 15;
  const left = ({ confidence }: { confidence: number }) =>
    Math.ceil(confidence / width - 1e-9) * width - width;
  return {
    name: 'reliability',
    caption: `Reliability diagram: accuracy against confidence. A calibrated network is on the diagonal. Expected calibration error ${(100 * error).toFixed(2)} % (15 intervals).`,
    panels: [
      {
        width: 320,
        height: 300,
        options: {
          marginLeft: 48,
          marginBottom: 40,
          marginTop: 8,
          marginRight: 10,
          x: { label: 'confidence', labelAnchor: 'center', labelArrow: 'none', domain: [0, 1] },
          y: { label: 'accuracy', labelAnchor: 'center', labelArrow: 'none', domain: [0, 1], grid: true },
          marks: [
            Plot.rect(bins, {
              x1: left,
              x2: (bin: { confidence: number }) => left(bin) + width,
              y1: 0,
              y2: 'accuracy',
              fill: COLORS[0],
              fillOpacity: 0.8,
              insetLeft: 0.5,
              insetRight: 0.5,
            }),
            Plot.line(
              [
                [0, 0],
                [1, 1],
              ],
              { stroke: 'currentColor', strokeDasharray: '5,3' },
            ),
            Plot.frame({ strokeOpacity: 0.6 }),
          ],
        },
      },
    ],
    legend: [],
    columns: ['confidence', 'accuracy', 'images'],
    points: bins.map(({ confidence, accuracy, count }) => ({ confidence, accuracy, images: count })),
  };
}
