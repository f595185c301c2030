import { describe, expect, test } from 'vitest';
import { checkWeights } from '../../src/networks/weights.js';
import { PYTORCH_RUNS, pytorchRun } from '../fixtures/pytorch/runs.js';
import { relativeError } from './compare.js';
import { ReferenceModel } from './model.js';

/** The fixtures hold results of double precision, rounded to single. */
const ROUNDING = 2e-7;

describe.each(PYTORCH_RUNS)('the definition reproduces PyTorch: %s', (name) => {
  const run = pytorchRun(name);
  const model = new ReferenceModel(run.network, run.initial);
  const results = run.batches.map((batch) => model.train(batch, run.learningRate, run.optimizer));

  test('the file has exactly the tensors of the network', () => {
    expect(checkWeights(run.network, run.initial, name).size).toBe(run.initial.size);
    expect(checkWeights(run.network, run.final, name).size).toBe(run.final.size);
    expect([...run.momentum.keys()]).toEqual(expect.arrayContaining([...model.momentum.keys()]));
  });

  test('loss and number correct of every step', () => {
    expect(run.losses).toHaveLength(20);
    results.forEach(({ loss, correct }, step) => {
      expect(Math.abs(loss / run.losses[step]! - 1)).toBeLessThan(ROUNDING);
      expect(correct).toBe(run.correct[step]);
    });
  });

  test('weights, running statistics and momentum after the last step', () => {
    for (const [key, { data }] of run.final) {
      expect(relativeError(model.values.get(key)!.data, data)).toBeLessThan(ROUNDING);
    }
    for (const [key, { data }] of run.momentum) {
      expect(relativeError(model.momentum.get(key)!, data)).toBeLessThan(ROUNDING);
    }
  });

  test('logits in evaluation mode', () => {
    expect(relativeError(model.predict(run.batches[0]!.images), run.logits)).toBeLessThan(ROUNDING);
  });
});
