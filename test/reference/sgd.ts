import type { OptimizerOptions } from '../../src/engines/engine.js';
import type { Value } from './tape.js';

/**
 * One step of gradient descent with momentum, in PyTorch's form (torch.optim.SGD, dampening 0):
 * g ← g + λw, v ← μv + g, w ← w − η(g + μv) with Nesterov, w ← w − ηv without.
 */
export function sgd(
  weight: Value,
  momentum: Float64Array,
  learningRate: number,
  options: OptimizerOptions,
): void {
  for (let i = 0; i < momentum.length; i++) {
    const gradient = weight.gradient[i]! + options.weightDecay * weight.data[i]!;
    momentum[i] = options.momentum * momentum[i]! + gradient;
    const direction = options.nesterov ? gradient + options.momentum * momentum[i]! : momentum[i]!;
    weight.data[i]! -= learningRate * direction;
  }
}
