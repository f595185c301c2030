import * as Plot from '@observablehq/plot';
import { colorBar } from './color-bar.js';
import type { ReuseBlock } from './feature-reuse.js';
import type { Figure, Panel } from './figure.js';

/** A cell of the heat map; the axes count from 0. */
interface Cell {
  readonly source: number;
  readonly target: number;
  readonly mean: number;
  /** Of the largest mean of its column. */
  readonly relative: number;
}

const SCHEME: Plot.ColorScheme = 'turbo';

/**
 * Figure 5 of the paper for any trained network: a heat map for each dense block. The paper does not say how it
 * scales its colours to 0 … 1; here each column is divided by its largest value.
 */
export function figure5(name: string, title: string, blocks: readonly ReuseBlock[]): Figure {
  const bar = colorBar({
    height: SIDE + 20,
    marginBottom: 40,
    scheme: SCHEME,
    title: 'share of the largest in its column',
    heading: ' ',
  });
  return {
    name,
    caption: `Mean absolute weight of every reader (columns) on the feature maps of every source (rows) in ${title}, as Figure 5 of the paper. Each column is divided by its largest value; \`densenet figure 5\` writes the raw means as CSV. Source 0 is the block's input; the boxed column is the transition (T) or the classifier (C) behind the block.`,
    panels: [...blocks.map(blockPanel), bar],
    legend: [],
    columns: ['block', 'source', 'source_channels', 'target', 'mean_absolute_weight', 'relative'],
    points: blocks.flatMap((block) =>
      cells(block).map(({ source, target, mean, relative }) => ({
        block: block.block,
        source: block.sources[source]!.name,
        source_channels: block.sources[source]!.channels,
        target: block.targets[target]!,
        mean_absolute_weight: mean,
        relative,
      })),
    ),
  };
}

function cells({ mean, targets }: ReuseBlock): Cell[] {
  const largest = targets.map((_, target) => Math.max(...mean.map((row) => row[target] ?? 0)));
  return mean.flatMap((row, source) =>
    row.flatMap((value, target) =>
      value === undefined
        ? []
        : [{ source, target, mean: value, relative: largest[target]! > 0 ? value / largest[target]! : 0 }],
    ),
  );
}

const SIDE = 240;

function blockPanel(block: ReuseBlock): Panel {
  const last = block.targets.length - 1;
  const step = Math.ceil(block.targets.length / 13);
  const numbers = Array.from({ length: block.sources.length }, (_, i) => i).filter((i) => i % step === 0);
  // Layer ℓ stands at x = ℓ; what follows the block stands apart, in a box.
  const center = (target: number) => (target === last ? last + 1.2 : target + 1);
  return {
    title: `Dense Block ${block.block}`,
    width: SIDE + 20,
    height: SIDE + 20,
    options: {
      marginLeft: 40,
      marginRight: 6,
      marginTop: 6,
      marginBottom: 40,
      x: {
        label: 'target layer (ℓ)',
        labelAnchor: 'center',
        labelArrow: 'none',
        domain: [0.5, center(last) + 0.5],
        ticks: [...numbers.filter((i) => i > 0 && i <= last), center(last)],
        tickFormat: (value: number) =>
          value > last ? (block.targets[last] === 'transition' ? 'T' : 'C') : `${value}`,
        tickSize: 3,
      },
      y: {
        label: 'source layer (s)',
        labelAnchor: 'center',
        labelArrow: 'none',
        domain: [block.sources.length - 0.5, -0.5],
        ticks: numbers,
        tickFormat: 'd',
        tickSize: 3,
      },
      color: { type: 'linear', scheme: SCHEME, domain: [0, 1] },
      marks: [
        Plot.rect(cells(block), {
          x1: ({ target }: Cell) => center(target) - 0.5,
          x2: ({ target }: Cell) => center(target) + 0.5,
          y1: ({ source }: Cell) => source - 0.5,
          y2: ({ source }: Cell) => source + 0.5,
          fill: 'relative',
          inset: 0,
          shapeRendering: 'crispEdges',
        }),
        Plot.rect([0], {
          x1: center(last) - 0.5,
          x2: center(last) + 0.5,
          y1: -0.5,
          y2: block.sources.length - 0.5,
          stroke: 'currentColor',
          fill: 'none',
        }),
        Plot.frame({ strokeOpacity: 0.6 }),
      ],
    },
  };
}
