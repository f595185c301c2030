import * as Plot from '@observablehq/plot';
import { epochAxis } from '../figures/epoch-axis.js';
import { color, type Figure, type Panel } from '../figures/figure.js';
import { type Fidelity, type FidelityPoint, programs } from './fidelity.js';

/** Training loss and test error by epoch of the same trainings in this program and in PyTorch, a line for each seed. */
export function fidelityFigure(fidelities: readonly Fidelity[]): Figure {
  const names = [...new Set(fidelities.flatMap(programs).map(({ name }) => name))];
  const colorOf = (name: string) => color(names.indexOf(name));
  return {
    name: 'fidelity',
    caption:
      'The same networks, recipe and images in this program (its native engine, and TensorFlow on a GPU) and in a script of its own in PyTorch: training loss and test error by epoch, a line for each seed.',
    panels: fidelities.flatMap((fidelity) => [
      panel(fidelity, 'trainLoss', 'training loss', colorOf),
      panel(fidelity, 'testError', 'test error (%)', colorOf),
    ]),
    legend: names.map((label) => ({ label, color: colorOf(label), symbol: 'solid' })),
    columns: ['network', 'dataset', 'program', 'seed', 'epoch', 'train_loss', 'test_error'],
    points: fidelities.flatMap((fidelity) =>
      programs(fidelity).flatMap(({ name, curves }) =>
        curves.flatMap(({ seed, points }) =>
          points.map(({ epoch, trainLoss, testError }) => ({
            network: fidelity.network,
            dataset: fidelity.dataset,
            program: name,
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
  fidelity: Fidelity,
  value: keyof FidelityPoint,
  label: string,
  colorOf: (name: string) => string,
): Panel {
  const { network, dataset, pytorch } = fidelity;
  return {
    title: `${network} on ${dataset}`,
    width: 300,
    height: 240,
    options: {
      marginTop: 8,
      marginLeft: 48,
      marginBottom: 38,
      x: epochAxis(pytorch.curves[0]!.points.length),
      y: { label, labelAnchor: 'center', labelArrow: 'none', grid: true, zero: true, nice: true },
      marks: [
        Plot.frame({ strokeOpacity: 0.6 }),
        ...programs(fidelity).flatMap(({ name, curves }) =>
          curves.map(({ points }) =>
            Plot.lineY(points, { x: 'epoch', y: value, stroke: colorOf(name), strokeWidth: 1.5 }),
          ),
        ),
      ],
    },
  };
}
