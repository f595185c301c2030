import { relativeError } from './compare.js';
import { Tape, type Value } from './tape.js';

/** Half the distance between the two points of a central difference. */
const STEP = 1e-6;

/**
 * The largest relative error, in norm, of the gradients that `loss` (a scalar) gives its operands, against
 * central differences. Throws where a kink is too near for them.
 */
export function gradientError(operands: readonly Value[], loss: (tape: Tape) => Value): number {
  const tape = new Tape();
  const result = loss(tape);
  if (tape.nearestKink < 100 * STEP) throw new Error(`a kink at ${tape.nearestKink}: choose another seed`);
  for (const { gradient } of operands) gradient.fill(0);
  tape.backward(result);

  const errors = operands.map((operand) => {
    const differences = operand.data.map((original, i) => {
      const at = (v: number) => {
        operand.data[i] = v;
        return loss(new Tape()).data[0]!;
      };
      const difference = (at(original + STEP) - at(original - STEP)) / (2 * STEP);
      operand.data[i] = original;
      return difference;
    });
    return relativeError(operand.gradient, differences);
  });
  return Math.max(...errors);
}
