import { randomBatch, randomWeights } from '../../src/engines/noise.js';
import { survivalProbabilities, survivors } from '../../src/networks/residual.js';
import { BATCH, LEARNING_RATE, OPTIMIZER, type SelftestCase } from '../../src/selftest/cases.js';
import type { Expected } from '../../src/selftest/expected.js';
import { ReferenceModel } from '../reference/model.js';

/** What the definition says of a case, and how near a value that enters a ReLU comes to 0 in the first step. */
export function define({ network, seed, steps }: SelftestCase): { expected: Expected; nearestKink: number } {
  const reference = new ReferenceModel(network, randomWeights(network, seed));
  const batch = randomBatch(network, BATCH, seed);
  const logits = Float32Array.from(reference.predict(batch.images));
  const survival = survivalProbabilities(network);
  const results = Array.from({ length: steps }, (_, step) => {
    const there = survivors(survival, seed, step);
    return reference.train(batch, LEARNING_RATE, OPTIMIZER, undefined, (unit) => there[unit] === 1);
  });
  const { gradients, nearestKink } = results[0]!;
  const expected: Expected = {
    logits,
    gradients: new Map(
      [...gradients].map(([name, data]) => [
        name,
        { shape: reference.values.get(name)!.shape, data: Float32Array.from(data) },
      ]),
    ),
    losses: Float32Array.from(results, ({ loss }) => loss),
    trained: Float32Array.from(reference.predict(batch.images)),
  };
  return { expected, nearestKink };
}
