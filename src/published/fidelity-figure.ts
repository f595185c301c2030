import * as Plot from '@observablehq/plot';
import { epochAxis } from '../figures/epoch-axis.js';
import { COLORS, type Figure, type Panel } from '../figures/figure.js';
import type { Fidelity, FidelityCurve, FidelityPoint } from './fidelity.js';

const [NATIVE, PYTORCH] = COLORS;

/** Training loss and test error by epoch of the same trainings in this program and in PyTorch, a line for each seed. */
export function fidelityFigure(fidelities: readonly Fidelity[]): Figure {
  return {
    name: 'fidelity',
    caption:
      'The same networks, recipe and images in this program (native engine) and in a script of its own in PyTorch: training loss and test error by epoch, a line for each seed.',
    panels: fidelities.flatMap((fidelity) => [
      panel(fidelity, 'trainLoss', 'training loss'),
      panel(fidelity, 'testError', 'test error (%)'),
    ]),
    legend: [
      { label: 'native engine', color: NATIVE, symbol: 'solid' },
      { label: 'PyTorch', color: PYTORCH, symbol: 'solid' },
    ],
    columns: ['network', 'dataset', 'program', 'seed', 'epoch', 'train_loss', 'test_error'],
    points: fidelities.flatMap(({ network, dataset, native, pytorch }) =>
      Object.entries({ 'native engine': native, PyTorch: pytorch }).flatMap(([program, curves]) =>
        curves.flatMap(({ seed, points }) =>
          points.map(({ epoch, trainLoss, testError }) => ({
            network,
            dataset,
            program,
            seed,
            epoch,
            train_loss: trainLoss,
            test_error: testError,
          })),
        ),
      ),
    ),
  };
}

function panel(
  { network, dataset, native, pytorch }: Fidelity,
  value: keyof FidelityPoint,
  label: string,
): Panel {
  const line = ({ points }: FidelityCurve, stroke: string) =>
    Plot.lineY(points, { x: 'epoch', y: value, stroke, strokeWidth: 1.5 });
  return {
    title: `${network} on ${dataset}`,
    width: 300,
    height: 240,
    options: {
      marginTop: 8,
      marginLeft: 48,
      marginBottom: 38,
      x: epochAxis(native[0]!.points.length),
      y: { label, labelAnchor: 'center', labelArrow: 'none', grid: true, zero: true, nice: true },
      marks: [
        Plot.frame({ strokeOpacity: 0.6 }),
        ...native.map((curve) => line(curve, NATIVE)),
        ...pytorch.map((curve) => line(curve, PYTORCH)),
      ],
    },
  };
}
