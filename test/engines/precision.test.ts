import { describe, expect, test } from 'vitest';
import type { Gpu } from '../../src/engines/engine.js';
import { checkPrecision, precisionInForce } from '../../src/engines/precision.js';
import { createEngine } from '../../src/engines/select.js';
import { silent } from '../../src/util/reporter.js';

const gpu = (major: number): Gpu => ({
  ...{ index: 0, visibleDevice: '0', name: 'a GPU', memory: 2 ** 33 },
  capability: [major, 5],
});

describe('precision', () => {
  test('tf32 is refused on a CPU, by either engine, before anything is set up', async () => {
    for (const engine of ['native', 'tensorflow'] as const) {
      const choice = { engine, device: 'cpu', reason: 'as asked' } as const;
      const made = createEngine(choice, { precision: 'tf32', setup: false, reporter: silent });
      await expect(made).rejects.toMatchObject({
        kind: 'usage',
        message: expect.stringContaining('tf32'),
        remedy: expect.stringContaining("'float32'"),
      });
    }
  });

  test('a GPU older than Ampere has float32 only', () => {
    for (const precision of ['tf32', 'bfloat16'] as const) {
      expect(() => checkPrecision(precision, 'gpu', gpu(7))).toThrow(
        `${precision} needs a GPU of compute capability 8.0`,
      );
      checkPrecision(precision, 'gpu', gpu(8));
    }
    checkPrecision('float32', 'gpu', gpu(7));
  });

  test('on a GPU it is said that TF32 is off', () => {
    expect(precisionInForce('float32', 'gpu')).toBe('float32, with TF32 switched off');
    expect(precisionInForce('tf32', 'gpu')).toBe('tf32');
    expect(precisionInForce('float32', 'cpu')).toBe('float32');
  });
});
