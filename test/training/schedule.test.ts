import { expect, test } from 'vitest';
import { learningRate, type Schedule } from '../../src/training/schedule.js';

function rates(schedule: Schedule, epochs: number): number[] {
  return Array.from({ length: epochs }, (_, epoch) =>
    learningRate(schedule, { epoch, step: 0, epochs, stepsPerEpoch: 782 }),
  );
}

test('steps: 150 epochs at 0.1, 75 at 0.01, 75 at 0.001', () => {
  const all = rates({ schedule: 'steps', initial: 0.1, milestones: [0.5, 0.75], factor: 0.1 }, 300);
  const near = (value: number) => all.filter((rate) => Math.abs(rate - value) < value * 1e-9).length;
  expect([near(0.1), near(0.01), near(0.001)]).toEqual([150, 75, 75]);
  expect(all[149]).toBe(0.1);
  expect(all[150]).toBeCloseTo(0.01, 12);
});

test('steps: SVHN drops after epochs 20 and 30 of 40', () => {
  const all = rates({ schedule: 'steps', initial: 0.1, milestones: [0.5, 0.75], factor: 0.1 }, 40);
  expect(all.findIndex((rate) => rate < 0.05)).toBe(20);
  expect(all.findIndex((rate) => rate < 0.005)).toBe(30);
});

test('a warm-up of 400 steps, and then as without', () => {
  const schedule: Schedule = { schedule: 'steps', initial: 0.1, milestones: [0.5, 0.75], factor: 0.1 };
  const warm: Schedule = { ...schedule, warmup: { epochs: 1.023, rate: 0.01 } };
  const at = (step: number) => ({
    epoch: Math.floor(step / 391),
    step: step % 391,
    epochs: 164,
    stepsPerEpoch: 391,
  });
  expect(learningRate(warm, at(0))).toBe(0.01);
  expect(learningRate(warm, at(399))).toBe(0.01);
  expect(learningRate(warm, at(400))).toBe(0.1);
  for (const step of [400, 32_061, 32_062, 48_093, 64_000])
    expect(learningRate(warm, at(step))).toBe(learningRate(schedule, at(step)));
  const cosine: Schedule = { schedule: 'cosine', initial: 0.1, warmup: { epochs: 0.5, rate: 0.05 } };
  expect(learningRate(cosine, at(194))).toBe(0.05);
  expect(learningRate(cosine, at(197))).toBeCloseTo(0.1, 5);
});

test('cosine: from the initial rate through half of it to almost nothing, step by step', () => {
  const schedule: Schedule = { schedule: 'cosine', initial: 0.2 };
  const at = (epoch: number, step: number) =>
    learningRate(schedule, { epoch, step, epochs: 100, stepsPerEpoch: 10 });
  expect(at(0, 0)).toBe(0.2);
  expect(at(50, 0)).toBeCloseTo(0.1, 12);
  expect(at(99, 9)).toBeCloseTo(0.1 * (1 + Math.cos((Math.PI * 999) / 1000)), 12);
  expect(at(3, 4)).toBeLessThan(at(3, 3));
});
