import { expect, test } from 'vitest';
import { randomBatch, randomWeights } from '../../../src/engines/noise.js';
import { exampleNetwork } from '../../reference/examples.js';
import { DEFAULTS, type TestedEngine, untrained, withModel } from './models.js';

/** A call must last this long to be a test, milliseconds. */
const LONG_ENOUGH = 400;

const network = exampleNetwork({
  channels: 3,
  height: 32,
  width: 32,
  classes: 10,
  stem: 'small',
  stemChannels: 24,
  blocks: [6, 6, 6],
  growthRate: 12,
  bottleneck: true,
  compression: 0.5,
  dropout: 0,
});

/** Duration of the call and the longest time in which a timer of 5 ms did not tick meanwhile, milliseconds. */
async function observe(call: () => Promise<unknown>): Promise<{ duration: number; longestPause: number }> {
  const start = performance.now();
  let last = start;
  let longestPause = 0;
  const tick = () => {
    const now = performance.now();
    longestPause = Math.max(longestPause, now - last);
    last = now;
  };
  const timer = setInterval(tick, 5);
  try {
    await call();
  } finally {
    clearInterval(timer);
  }
  tick();
  return { duration: last - start, longestPause };
}

export function responsivenessTests(engine: () => TestedEngine): void {
  test.each(['train', 'predict'] as const)('while it runs %s', async (kind) => {
    const start = untrained(network, randomWeights(network, 1));
    await withModel(engine(), network, DEFAULTS, start, async (model) => {
      for (let size = 16; ; size *= 2) {
        const batch = randomBatch(network, size, 1);
        const { duration, longestPause } = await observe(() =>
          kind === 'train'
            ? model.train(batch, { learningRate: 0.01, step: 0 })
            : model.predict(batch.images),
        );
        if (duration < LONG_ENOUGH) continue;
        expect(longestPause).toBeLessThan(duration / 3);
        return;
      }
    });
  });
}
