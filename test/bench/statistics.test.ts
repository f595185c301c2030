import fc from 'fast-check';
import { expect, test } from 'vitest';
import { summarize } from '../../src/bench/statistics.js';

test('median of an odd and of an even number of values', () => {
  expect(summarize([30, 10, 20])).toEqual({ median: 20, min: 10, max: 30, n: 3 });
  expect(summarize([40, 10, 20, 30])).toEqual({ median: 25, min: 10, max: 40, n: 4 });
});

test('half of the values lie on either side of the median, all within the range', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
      const { median, min, max, n } = summarize(values);
      expect(values.filter((value) => value < median).length).toBeLessThanOrEqual(n / 2);
      expect(values.filter((value) => value > median).length).toBeLessThanOrEqual(n / 2);
      expect(values.every((value) => value >= min && value <= max)).toBe(true);
    }),
    { seed: 1 },
  );
});
