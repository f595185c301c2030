import type { EpochRow } from '../runs/epochs.js';
import { formatDuration } from '../util/format.js';
import type { ProgressBar, Reporter } from '../util/reporter.js';
import type { Progress } from './checkpoint.js';

/** The progress bar of one epoch: steps, images/s, loss, error, time left of the epoch and of the run. */
export class EpochProgress {
  private readonly bar: ProgressBar;
  private readonly started = performance.now();

  constructor(
    reporter: Reporter,
    private readonly start: Progress,
    private readonly epochs: number,
    private readonly stepsPerEpoch: number,
  ) {
    this.bar = reporter.bar(`epoch ${start.epochs + 1}/${epochs}`, stepsPerEpoch, 'steps');
    if (start.stepsInEpoch > 0) this.bar.update(start.stepsInEpoch);
  }

  update(progress: Progress): void {
    const seconds = (performance.now() - this.started) / 1000;
    const steps = progress.stepsInEpoch - this.start.stepsInEpoch;
    const secondsPerStep = seconds / steps;
    const imagesPerSecond = (progress.seen - this.start.seen) / seconds;
    const stepsLeft = (this.epochs - progress.epochs) * this.stepsPerEpoch - progress.stepsInEpoch;
    this.bar.update(progress.stepsInEpoch, [
      `error ${((100 * progress.wrong) / progress.seen).toFixed(1)} %`,
      `run: ${formatDuration(stepsLeft * secondsPerStep)} left`,
      `loss ${(progress.lossSum / progress.seen).toFixed(3)}`,
      `${imagesPerSecond.toFixed(0)} images/s`,
    ]);
  }

  finish(): void {
    this.bar.finish();
  }
}

/** The line that stays when an epoch is done. `seconds` is the time of the run so far. */
export function epochLine(row: EpochRow, epochs: number, seconds: number): string {
  const left = (seconds / row.epoch) * (epochs - row.epoch);
  return [
    `epoch ${row.epoch}/${epochs}`,
    `learning rate ${Number(row.learningRate.toPrecision(3))}`,
    `training loss ${row.trainLoss.toFixed(4)}, error ${row.trainError.toFixed(2)} %`,
    ...(row.validationError === undefined ? [] : [`validation error ${row.validationError.toFixed(2)} %`]),
    `test error ${row.testError.toFixed(2)} %${top5Note(row.testTop5Error)}`,
    `${row.imagesPerSecond.toFixed(0)} images/s${waitNote(row)}`,
    `${formatDuration(row.seconds)}${left > 0 ? `, ${formatDuration(left)} left` : ''}`,
  ].join(' · ');
}

/** `, top-5 6.12 %` where it was counted. */
export function top5Note(top5Error: number | undefined): string {
  return top5Error === undefined ? '' : `, top-5 ${top5Error.toFixed(2)} %`;
}

/** Shown where it matters: training that waits for images needs more or faster cores, or disks. */
function waitNote({ waitPercent = 0 }: EpochRow): string {
  return waitPercent < 1 ? '' : `, ${waitPercent.toFixed(0)} % of the time waiting for images`;
}
