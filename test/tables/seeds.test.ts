import { expect, test } from 'vitest';
import { loadExperiment } from '../../src/config/load.js';
import type { FinishedRun } from '../../src/runs/finished-runs.js';
import { measurements } from '../../src/tables/measurements.js';
import { paperRecipes } from '../../src/tables/paper-recipe.js';
import { seedsSheet } from '../../src/tables/seeds.js';

test("the paper's number is for its own data and recipe only", async () => {
  const run = async (seed: number, set: string[], dataRemark?: string): Promise<FinishedRun> => ({
    name: `e/20261126-00000${seed}-seed-${seed}`,
    experiment: await loadExperiment('cifar10plus-bc-100-12', { set: [...set, `training.seed=${seed}`] }),
    parameters: 769_162,
    testError: 4.5 + 0.1 * seed,
    init: false,
    dataRemark,
  });
  const fromPaper = async (...settings: [string[], string?]) => {
    const runs = await Promise.all([1, 2].map((seed) => run(seed, ...settings)));
    const { columns, rows } = seedsSheet(measurements(runs), await paperRecipes());
    return rows.map((row) => row[columns.indexOf('from paper')]);
  };
  expect(await fromPaper([])).toEqual([expect.stringMatching(/^\+0\.14 \[.*\], p = 0\.\d\d$/)]);
  expect(await fromPaper(['training.epochs=30'])).toEqual(['']);
  expect(await fromPaper([], 'JPEG')).toEqual(['']);
});
