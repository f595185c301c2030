import type { Reporter } from '../util/reporter.js';

/** What weights are the outcome of. */
export interface Trained {
  /** Finished epochs. */
  readonly epochs: number;
  /** Steps of the epoch under way. */
  readonly steps: number;
}

/** Keys of the metadata of files that hold weights alone. */
const EPOCH = 'densenet.epoch';
const STEPS = 'densenet.steps';

/** For the metadata of a file of weights, from which `trainedIn` reads it; nothing for weights that do not say. */
export function trainedMetadata(trained: Trained | undefined): Record<string, string> {
  if (trained === undefined) return {};
  const { epochs, steps } = trained;
  return { [EPOCH]: `${epochs}`, ...(steps > 0 ? { [STEPS]: `${steps}` } : {}) };
}

/** What the metadata of a file of weights say; undefined if nothing, or no numbers. */
export function trainedIn(metadata: Readonly<Record<string, string>>): Trained | undefined {
  const count = (key: string) => (/^\d{1,9}$/.test(metadata[key] ?? '') ? Number(metadata[key]) : undefined);
  const epochs = count(EPOCH);
  return epochs === undefined ? undefined : { epochs, steps: count(STEPS) ?? 0 };
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
