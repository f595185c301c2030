import { expect, test } from 'vitest';
import { PUBLISHED_NETWORKS, publishedNetwork } from '../../fixtures/pytorch/published.js';
import { arrayFaults } from './faults.js';
import { DEFAULTS, type TestedEngine, untrained, withModel } from './models.js';

/**
 * Relative in norm. PyTorch's own single precision is within 6e-7 of its double; β and μ of one layer swapped: 9e-3.
 */
const TOLERANCE = 1e-5;

export function publishedTests(engine: () => TestedEngine): void {
  test.each(PUBLISHED_NETWORKS)('logits for 224×224 images: %s', async (name) => {
    const { network, weights, images, logits } = publishedNetwork(name);
    const state = untrained(network, weights);
    const found = await withModel(engine(), network, DEFAULTS, state, (model) => model.predict(images));
    expect(arrayFaults('logits', found, logits, TOLERANCE)).toEqual([]);
  });
}
