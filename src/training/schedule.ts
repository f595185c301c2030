/** How the learning rate falls over a run. */
export type Schedule = {
  readonly initial: number;
  /** The rate of the first epochs, or of a part of them. */
  readonly warmup?: { readonly epochs: number; readonly rate: number } | null;
} & (
  | {
      readonly schedule: 'steps';
      /** Fractions of the epochs after which the rate is multiplied by `factor`. */
      readonly milestones: readonly number[];
      readonly factor: number;
    }
  | { readonly schedule: 'cosine' }
);

/** A moment in a run: `epoch` counts from 0, `step` within the epoch too. */
export interface Moment {
  readonly epoch: number;
  readonly step: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
}

/**
 * The learning rate of one step. Steps: with milestones ½ and ¾ of 300 epochs, epochs 1–150 run at the initial
 * rate, 151–225 at a tenth, 226–300 at a hundredth (paper, section 4.2; the authors' code, which counts epochs
 * from 1, drops one epoch earlier). Cosine: ½·initial·(1 + cos(π·t/T)), t in steps (the authors' `-lrShape`).
 * A warm-up stands before, and does not shift the rest.
 */
export function learningRate(schedule: Schedule, at: Moment): number {
  const { warmup } = schedule;
  if (warmup && at.epoch * at.stepsPerEpoch + at.step < Math.round(warmup.epochs * at.stepsPerEpoch)) {
    return warmup.rate;
  }
  if (schedule.schedule === 'cosine') {
    const done = (at.epoch * at.stepsPerEpoch + at.step) / (at.epochs * at.stepsPerEpoch);
    return 0.5 * schedule.initial * (1 + Math.cos(Math.PI * done));
  }
  const drops = schedule.milestones.filter((fraction) => at.epoch >= fraction * at.epochs).length;
  return schedule.initial * schedule.factor ** drops;
}
