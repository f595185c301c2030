import { expect, test } from 'vitest';
import { loadExperiment } from '../../src/config/load.js';
import { describe } from '../../src/training/describe.js';

test('the description of a network adds up', async () => {
  const description = describe(await loadExperiment('svhn-40-12'), 2);
  expect(description).toMatchObject({
    name: 'svhn-40-12',
    parameters: 1_019_722,
    multiplyAdds: 264_812_928,
    batch: 2,
  });
  const images = 2 * 4 * 3 * 32 * 32;
  const stages = description.stages.reduce((sum, stage) => sum + stage.activationBytes, 0);
  expect(stages + images).toBe(description.activationBytes);
  expect(description.stages).toHaveLength(7);
});
