import { parseEvents, type RunEvent, validEvents } from '../runs/events.js';
import type { RunRecord } from '../runs/run-records.js';
import { lastLines } from './tail.js';

/** Bytes of log.jsonl that are looked at: its last hundreds of lines. */
const TAIL = 65_536;

type Progress = Extract<RunEvent, { event: 'progress' }>;

/** How far a running run has come. */
export interface Live {
  /** Of the epoch under way; undefined where its log does not tell. */
  readonly epoch: Progress | undefined;
  readonly imagesPerSecond: number | undefined;
  /** Mean training loss of the epoch under way. */
  readonly loss: number | undefined;
  /** Of the epoch's training. */
  readonly secondsInEpoch: number;
  /** Until the end of the run; undefined where nothing was measured yet. */
  readonly secondsLeft: number | undefined;
}

export function liveState({ folder, experiment, epochs }: RunRecord): Live {
  const events = validEvents(parseEvents(lastLines(folder.eventLog, TAIL).join('\n')));
  const begun = events.findLast(({ event }) => event === 'start' || event === 'resume' || event === 'epoch');
  const latest = events.findLast((event) => event.event === 'progress');
  const isNow = latest && events.indexOf(latest) > (begun ? events.indexOf(begun) : -1);
  const epoch = isNow && latest.epoch > epochs.length ? latest : undefined;
  // While images are evaluated, its training is done.
  const training = epoch && events.findLast((event) => isTraining(event, epoch.epoch));
  const imagesPerSecond = training?.imagesPerSecond ?? epochs.at(-1)?.imagesPerSecond;
  const loss = training?.loss;
  if (!experiment) return { epoch, imagesPerSecond, loss, secondsInEpoch: 0, secondsLeft: undefined };
  const { epochs: total, batchSize } = experiment.training;
  const secondsPerStep = training?.imagesPerSecond && batchSize / training.imagesPerSecond;
  const secondsInEpoch = secondsPerStep ? training.done * secondsPerStep : 0;
  const perEpoch =
    epochs.length > 0
      ? mean(epochs.slice(-5).map(({ seconds }) => seconds))
      : secondsPerStep && training.total * secondsPerStep;
  const done = epochs.length + (epoch ? shareDone(epoch) : 0);
  const secondsLeft = perEpoch && Math.max(0, (total - done) * perEpoch - secondsSince(epoch));
  return { epoch, imagesPerSecond, loss, secondsInEpoch, secondsLeft };
}

function isTraining(event: RunEvent, epoch: number): event is Progress {
  return event.event === 'progress' && event.epoch === epoch && event.part === 'train';
}

/** Evaluation is the end of an epoch, and takes little of it. */
function shareDone({ part, done, total }: Progress): number {
  return part === 'train' ? done / total : 1;
}

/** Clocks of hosts may differ. */
function secondsSince(event: Progress | undefined): number {
  return event ? Math.max(0, (Date.now() - Date.parse(event.time)) / 1000) : 0;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
