import { describe, expect, it } from 'vitest';
import { loadExperiment } from '../../src/config/load.js';
import { paperErrors, paperLine } from '../../src/tables/paper-errors.js';

describe('paperErrors', () => {
  it('gives both errors of Table 3, of one crop and of ten', async () => {
    const experiment = await loadExperiment('imagenet-densenet-169');
    expect(paperErrors(experiment, 50_000, false)).toEqual({ error: 23.8, top5Error: 6.85 });
    expect(paperErrors(experiment, 50_000, true)).toEqual({ error: 22.08, top5Error: 5.92 });
  });

  it('gives the cell of Table 2, which has no crops, and nothing where the paper prints nothing', async () => {
    const experiment = await loadExperiment('cifar10plus-bc-100-12');
    expect(paperErrors(experiment, 10_000, false)).toEqual({ error: 4.51 });
    expect(paperErrors(experiment, 10_000, true)).toBeUndefined();
    expect(paperErrors(await loadExperiment('quickstart'), 1_000, false)).toBeUndefined();
  });

  it('gives nothing for a part of the test set', async () => {
    expect(paperErrors(await loadExperiment('cifar10plus-bc-100-12'), 500, false)).toBeUndefined();
  });
});

describe('paperLine', () => {
  it('says how far the errors are from the paper, of the whole test set only', async () => {
    const experiment = await loadExperiment('imagenet-densenet-121');
    const measured = { error: 25.57, top5Error: 8.03, count: 50_000 };
    expect(paperLine(experiment, measured, false)).toBe(
      'paper (Table 3, DenseNet-121 (k=32)) 25.02 %, top-5 7.71 %; difference +0.55, +0.32',
    );
    expect(paperLine(experiment, { ...measured, count: 1000 }, false)).toBeUndefined();
  });
});
