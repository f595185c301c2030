import { expect, it } from 'vitest';
import { slurmSeconds } from '../../../src/sweep/launchers/slurm-time.js';

it.each([
  ['90', 5400],
  ['10:30', 630],
  ['24:00:00', 86_400],
  ['2-0', 172_800],
  ['1-12:30', 131_400],
  ['1-00:00:01', 86_401],
])('%s is %d seconds', (text, seconds) => {
  expect(slurmSeconds(text)).toBe(seconds);
});

it.each(['UNLIMITED', '1h', '', '1-', ':5'])("'%s' is no time that Slurm counts", (text) => {
  expect(slurmSeconds(text)).toBeUndefined();
});
