import { expect, test } from 'vitest';
import { PYTORCH_RUNS, pytorchRun } from '../../fixtures/pytorch/runs.js';
import { arrayFaults, lossFaults } from './faults.js';
import { DEFAULTS, type TestedEngine, untrained, withModel } from './models.js';

/** After 20 steps, relative in norm; PyTorch's own single precision is within 3e-5 of its double. */
const LOSS_TOLERANCE = 1e-4;
const STATE_TOLERANCE = 1e-3;

export function pytorchTests(engine: () => TestedEngine): void {
  test.each(PYTORCH_RUNS)('20 steps of training: %s', async (name) => {
    const run = pytorchRun(name);
    const options = { ...DEFAULTS, optimizer: run.optimizer };
    const start = untrained(run.network, run.initial);
    const faults = await withModel(engine(), run.network, options, start, async (model) => {
      const found: string[] = [];
      for (const [step, batch] of run.batches.entries()) {
        const { loss, correct } = await model.train(batch, { learningRate: run.learningRate, step });
        found.push(...lossFaults(`of step ${step}`, loss, run.losses[step]!, LOSS_TOLERANCE));
        if (correct !== run.correct[step])
          found.push(`step ${step}: ${correct} correct, not ${run.correct[step]}`);
      }
      const { weights, momentum } = await model.exportState();
      for (const [key, { data }] of run.final) {
        found.push(...arrayFaults(key, weights.get(key)!.data, data, STATE_TOLERANCE));
      }
      for (const [key, { data }] of run.momentum) {
        found.push(...arrayFaults(`momentum of ${key}`, momentum.get(key)!.data, data, STATE_TOLERANCE));
      }
      const logits = await model.predict(run.batches[0]!.images);
      return [...found, ...arrayFaults('logits', logits, run.logits, STATE_TOLERANCE)];
    });
    expect(faults).toEqual([]);
  });
}
