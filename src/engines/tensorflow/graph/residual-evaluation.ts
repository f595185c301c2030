import type { ResidualUnit, UnitConvolution } from '../../../networks/residual.js';
import type { Output } from './builder.js';
import type { Ops } from './ops.js';

/** What the evaluation graph is written with. */
export interface EvaluationParts {
  readonly ops: Ops;
  /** A tensor of the network, by name. */
  readonly get: (name: string) => Output;
  /** Batch normalisation by the running statistics. */
  readonly norm: (name: string, x: Output) => Output;
}

/** A residual unit in evaluation mode: its branch counts by its survival probability. */
export function residualUnit(parts: EvaluationParts, unit: ResidualUnit, x: Output): Output {
  const { ops, norm } = parts;
  const { activation, convolutions, shortcut, survival } = unit;
  const pre = activation === 'pre';
  const active = pre ? ops.unary('Relu', norm(convolutions[0]!.norm, x)) : x;
  let branch = active;
  convolutions.forEach((conv, index) => {
    const before = pre ? conv.norm : convolutions[index - 1]?.norm;
    if (index > 0) branch = ops.unary('Relu', norm(before!, branch));
    branch = convolution(parts, conv.name, conv, branch);
  });
  if (!pre) branch = norm(convolutions.at(-1)!.norm, branch);
  if (survival < 1) branch = ops.scale(branch, survival);
  const sum = ops.binary('AddV2', around(parts, unit, shortcut === 'projection' ? active : x), branch);
  return pre ? sum : ops.unary('Relu', sum);
}

function around(parts: EvaluationParts, unit: ResidualUnit, x: Output): Output {
  const { ops, norm } = parts;
  const { shortcut, activation, stride, input, output, projection } = unit;
  if (shortcut === 'identity') return x;
  if (shortcut === 'padding') {
    return ops.padChannels(ops.subsample(x, stride), output.channels - input.channels);
  }
  const y = convolution(parts, projection.name, { stride, padding: 0 }, x);
  return activation === 'pre' ? y : norm(projection.norm, y);
}

function convolution(
  { ops, get }: EvaluationParts,
  name: string,
  { stride, padding }: Pick<UnitConvolution, 'stride' | 'padding'>,
  x: Output,
): Output {
  const filter = get(`${name}.weight`);
  return stride === 1
    ? ops.convolution(x, filter, 1, 'SAME')
    : ops.convolution(ops.pad(x, padding, 0), filter, stride, 'VALID');
}
