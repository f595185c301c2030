import { expect, test } from 'vitest';
import { loadExperiment } from '../../src/config/load.js';
import { requireFreeMemory } from '../../src/training/memory.js';
import { networkOf } from '../../src/training/model.js';

test('training that takes more memory than is free is refused with both numbers', async () => {
  const network = networkOf(await loadExperiment('quickstart'));
  requireFreeMemory(network, 2e9, 2e9);
  expect(() => requireFreeMemory(network, 2e9 + 1, 2e9)).toThrow(
    /^DenseNet-BC .* does not fit into memory: training takes about 2\.0 GB, and 2\.0 GB are free$/,
  );
});
