import * as Plot from '@observablehq/plot';
import type { Panel } from './figure.js';

export interface ColorBar {
  readonly height: number;
  readonly marginBottom: number;
  readonly scheme: Plot.ColorScheme;
  /** What the colours mean. */
  readonly title: string;
  /** Above the plots beside it; keeps their titles and this bar at one height. */
  readonly heading?: string;
}

/** What the colours of the plots beside it mean, from 0 to 1. */
export function colorBar({ height, marginBottom, scheme, title, heading }: ColorBar): Panel {
  const steps = Array.from({ length: 64 }, (_, i) => i / 64);
  return {
    title: heading,
    width: 70,
    height,
    options: {
      marginLeft: 4,
      marginRight: 48,
      marginTop: 6,
      marginBottom,
      x: { axis: null, domain: [0, 1] },
      y: {
        axis: 'right',
        domain: [0, 1],
        label: title,
        labelAnchor: 'center',
        labelArrow: 'none',
        tickSize: 3,
      },
      color: { type: 'linear', scheme, domain: [0, 1] },
      marks: [
        Plot.rect(steps, {
          x1: 0,
          x2: 1,
          y1: (v: number) => v,
          y2: (v: number) => v + 1 / 64,
          fill: (v: number) => v,
          inset: 0,
          shapeRendering: 'crispEdges',
        }),
        Plot.frame({ strokeOpacity: 0.6 }),
      ],
    },
  };
}
