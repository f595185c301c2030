import { expect, it } from 'vitest';
import { duration, names } from '../../src/cli/values.js';

it.each([
  ['90s', 90],
  ['45m', 2700],
  ['3h50m', 13_800],
  ['1d12h', 129_600],
  ['1d1h1m1s', 90_061],
  ['0h30m', 1800],
])('%s is %d seconds', (text, seconds) => {
  expect(duration(text)).toBe(seconds);
});

it.each(['', '5', '0m', '3h 50m', '50m3h', '1.5h', '-1h', '24:00:00', '1w', 'h', '9999999999999999d'])(
  "'%s' is no time",
  (text) => {
    expect(() => duration(text)).toThrow('such as 3h50m, 2d or 90s');
  },
);

it('takes names with commas between them, and answers an unknown one with the nearest', () => {
  const valid = ['finished', 'failed', 'killed'] as const;
  expect(names('failed,finished', valid)).toEqual(['failed', 'finished']);
  expect(() => names('finishd', valid)).toThrow(
    "There is no 'finishd'. Did you mean 'finished'? Valid: finished, failed, killed.",
  );
});
