import type { Reporter } from '../util/reporter.js';

/** What weights are the outcome of. */
export interface Trained {
  /** Finished epochs. */
  readonly epochs: number;
  /** Steps of the epoch under way. */
  readonly steps: number;
}

/** `epoch 12`, `epoch 12 and 30 steps`, `no training`; undefined for weights that do not say. */
export function trainedText(trained: Trained | undefined): string | undefined {
  if (trained === undefined) return undefined;
  const { epochs, steps } = trained;
  const parts = [
    ...(epochs > 0 ? [`epoch ${epochs}`] : []),
    ...(steps > 0 ? [`${steps} step${steps === 1 ? '' : 's'}`] : []),
  ];
  return parts.length > 0 ? parts.join(' and ') : 'no training';
}

/** Warns of weights that no epoch was finished for: what they come to is not a result. */
export function warnIfUntrained(reporter: Reporter, path: string, trained: Trained | undefined): void {
  if (trained === undefined || trained.epochs > 0) return;
  const { steps } = trained;
  const what =
    steps === 0
      ? 'they are the weights that the run began with'
      : `they have ${trainedText(trained)} of training, and no finished epoch`;
  reporter.warn(`${path} holds no trained weights: ${what}`);
}
