import type { EpochRow } from './epochs.js';
import type { ErrorAtEpoch, RunResult } from './result.js';

type ReportedErrors = Required<Pick<RunResult, 'last' | 'best' | 'reported'>> &
  Pick<RunResult, 'bestValidation'>;

/** The errors that a run reports, from its epochs (at least one). The first of equals counts. */
export function reportedErrors(
  history: readonly EpochRow[],
  rule: 'last' | 'best-validation',
): ReportedErrors {
  const at = ({ testError, testTop5Error, epoch }: EpochRow): ErrorAtEpoch => ({
    error: testError,
    top5Error: testTop5Error,
    epoch,
  });
  const lowest = (value: (row: EpochRow) => number) =>
    history.reduce((best, row) => (value(row) < value(best) ? row : best));
  const last = at(history.at(-1)!);
  const validated = history.some((row) => row.validationError !== undefined);
  const bestValidation = validated
    ? at(lowest((row) => row.validationError ?? Number.POSITIVE_INFINITY))
    : undefined;
  const reported = rule === 'best-validation' && bestValidation ? bestValidation : last;
  return {
    last,
    best: at(lowest((row) => row.testError)),
    bestValidation,
    reported: { ...reported, rule: reported === bestValidation ? 'best-validation' : 'last' },
  };
}
