import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SessionLimit, sessionLimits } from '../../src/training/limits.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('ends before the step that would be too many', () => {
  const limit = new SessionLimit({ steps: 2 });
  for (const aborted of [false, false, true]) {
    limit.beforeStep();
    expect(limit.signal.aborted).toBe(aborted);
    limit.stepDone(1);
  }
});

it('ends while two steps and two checkpoints still fit, with five seconds to spare', () => {
  const limit = new SessionLimit({ deadline: Date.now() + 60_000 });
  limit.stepDone(10_000);
  limit.saved(2000);
  limit.stepDone(5000);
  vi.advanceTimersByTime(30_000);
  expect(limit.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1000);
  expect(limit.signal.aborted).toBe(true);
  limit.close();
});

it('makes one step, or finishes an evaluation, however late it is', () => {
  const limit = new SessionLimit({ deadline: Date.now() - 1000 });
  vi.advanceTimersByTime(5000);
  limit.beforeStep();
  expect(limit.signal.aborted).toBe(false);
  limit.epochDone();
  limit.beforeStep();
  expect(limit.signal.aborted).toBe(true);
  limit.close();
});

it('is not hurried by a deadline that is months away', () => {
  const limit = new SessionLimit({ deadline: Date.now() + 100 * 24 * 3600_000 });
  limit.stepDone(1);
  vi.advanceTimersByTime(5000);
  limit.beforeStep();
  expect(limit.signal.aborted).toBe(false);
  limit.close();
});

it('ends a minute before a Slurm job does, or at --max-time if that is earlier', () => {
  const start = Date.now() - 1000 * process.uptime();
  const inAnHour = { SLURM_JOB_END_TIME: `${Math.round(start / 1000) + 3600}` };
  const seconds = (deadline?: number) => Math.round((deadline! - start) / 1000);
  expect(seconds(sessionLimits({}, inAnHour).deadline)).toBe(3540);
  expect(seconds(sessionLimits({ maxTime: 600 }, inAnHour).deadline)).toBe(600);
  expect(seconds(sessionLimits({ maxTime: 7200 }, inAnHour).deadline)).toBe(3540);
  expect(sessionLimits({}, {})).toEqual({});
  expect(sessionLimits({ maxSteps: 5 }, { SLURM_JOB_END_TIME: '' })).toEqual({ steps: 5 });
});
