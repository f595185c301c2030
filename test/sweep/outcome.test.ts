import { expect, test } from 'vitest';
import type { SweepOutcome } from '../../src/sweep/outcome.js';
import { sweepExitCode } from '../../src/sweep/outcome.js';

type Status = NonNullable<SweepOutcome['record']>['status'];

function outcome(exitCode: number | null | undefined, status?: Status, before = 'start'): SweepOutcome {
  return { before: { kind: before }, exitCode, left: false, record: status && { status } } as SweepOutcome;
}

/** Of a run that its process left alone, since another one was at it. */
function left(status?: Status): SweepOutcome {
  return { ...outcome(75, status), left: true };
}

test.each([
  ['every run is finished', [outcome(0, 'finished'), outcome(undefined, 'finished', 'finished')], 0],
  ['another sweep has finished what its process left alone', [left('finished')], 0],
  ['another process has begun what its process left alone', [left('running'), outcome(0, 'finished')], 3],
  ['another process is about to begin it', [left()], 3],
  ['another process is about to go on with it', [left('interrupted')], 3],
  ['what its process left alone has diverged', [left('diverged')], 5],
  ['a run was stopped in time and is to go on', [outcome(75, 'interrupted')], 75],
  ['a run is finished and its tables could not be written', [outcome(3, 'finished')], 3],
  ['a signal ended one', [outcome(null, 'killed')], 1],
  ['one diverged before', [outcome(undefined, 'diverged', 'diverged')], 5],
  ['one is left to another process', [outcome(undefined, 'running', 'at-work')], 3],
  ['one is left to a person', [outcome(undefined, 'damaged', 'damaged')], 3],
])('%s', (_, outcomes, code) => {
  expect(sweepExitCode(outcomes)).toBe(code);
});
