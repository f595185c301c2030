import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Experiment } from '../config/schema.js';
import { tensorboardRecords } from '../export/tensorboard/events.js';
import type { NewEvent, RunEvent } from '../runs/events.js';
import type { RunResult, RunStatus } from '../runs/result.js';
import type { RunFolder } from '../runs/run-folder.js';
import { AppendFile } from '../util/append-file.js';
import { ownerName } from '../util/owner.js';
import { packageVersion } from '../util/package.js';
import { printableLine } from '../util/printable.js';
import type { Reporter } from '../util/reporter.js';
import type { Listener, Said, Transcript } from '../util/transcript.js';
import type { Progress } from './checkpoint.js';
import { learningRate, type Moment } from './schedule.js';

/** Milliseconds between two events of progress, at least and at most. */
const SHORTEST = 2000;
const LONGEST = 60_000;
/** Between them, there are so many of them for each part of an epoch. */
const PER_PART = 50;

export interface LogOptions {
  readonly experiment: Experiment;
  readonly reporter: Reporter;
  /** What `reporter` has said and will say. */
  readonly transcript: Transcript;
  /** Log the loss every N steps. */
  readonly logEvery?: number | undefined;
}

/**
 * What a run leaves of its course beside its results: log.jsonl, log.txt and TensorBoard's event file. No failure to
 * write them ends a training, and nothing waits for them but `settled`.
 */
export class RunLog implements Listener {
  private readonly session = ownerName(process.pid);
  private readonly events: AppendFile;
  private readonly text: AppendFile;
  private readonly tensorboard: AppendFile;
  private told = { time: Date.now(), part: '', done: 0 };

  constructor(
    private readonly folder: RunFolder,
    private readonly stepsPerEpoch: number,
    private readonly options: LogOptions,
  ) {
    const { reporter } = options;
    const file = (path: string, lines?: boolean) =>
      new AppendFile(
        path,
        (problem) => reporter.warn(`cannot write ${path}: ${problem}; training continues`),
        lines,
      );
    this.events = file(folder.eventLog);
    this.text = file(folder.textLog);
    try {
      mkdirSync(folder.tensorboard);
    } catch {
      // It is there already; or the first write says what is wrong.
    }
    const name = `events.out.tfevents.${Math.floor(Date.now() / 1000)}.${hostname()}.${process.pid}`;
    this.tensorboard = file(join(folder.tensorboard, name), false);
  }

  /** The run begins, or is resumed from `resumed`. What a person was told before is taken down now. */
  begin(about: { engine: string; trainImages: number }, resumed: Progress | undefined): void {
    const { folder, stepsPerEpoch, options } = this;
    const totalEpochs = options.experiment.training.epochs;
    const begun = { run: folder.name, densenet: packageVersion, ...about, totalEpochs, stepsPerEpoch };
    this.add(resumed ? { event: 'resume', ...begun, ...position(resumed) } : { event: 'start', ...begun });
    options.transcript.listen(this);
  }

  /** A step is done: tells of its loss, where that is asked for, and of the epoch's progress now and then. */
  step(loss: number, moment: Moment, { stepsInEpoch, seen, lossSum, wrong, epochSeconds }: Progress): void {
    const { options, stepsPerEpoch } = this;
    const epoch = moment.epoch + 1;
    const globalStep = moment.epoch * stepsPerEpoch + stepsInEpoch;
    if (options.logEvery !== undefined && globalStep % options.logEvery === 0) {
      const rate = learningRate(options.experiment.training.learningRate, moment);
      this.add({ event: 'step', epoch, step: stepsInEpoch, globalStep, loss, learningRate: rate });
    }
    if (!this.isTime('train', stepsInEpoch, stepsPerEpoch)) return;
    const error = (100 * wrong) / seen;
    const soFar = { loss: lossSum / seen, error, imagesPerSecond: seen / epochSeconds };
    this.add({ event: 'progress', epoch, part: 'train', done: stepsInEpoch, total: stepsPerEpoch, ...soFar });
  }

  /** So many images of a split are evaluated. */
  evaluating(epoch: number, part: 'validation' | 'test', done: number, total: number): void {
    if (this.isTime(part, done, total)) this.add({ event: 'progress', epoch, part, done, total });
  }

  add(event: NewEvent): void {
    const { session, options, stepsPerEpoch } = this;
    const whole = { time: new Date().toISOString(), session, ...event } as RunEvent;
    this.events.append(`${JSON.stringify(whole)}\n`);
    const records = tensorboardRecords(whole, options.experiment, stepsPerEpoch);
    for (const record of records) this.tensorboard.append(record);
  }

  end(status: Exclude<RunStatus, 'running'>, { seconds, reported, message }: RunResult, at: Progress): void {
    this.add({ event: 'end', status, ...position(at), seconds, reported, message });
  }

  /** Resolves when all so far is written, or could not be. */
  async settled(): Promise<void> {
    await Promise.all([this.events.settled(), this.text.settled(), this.tensorboard.settled()]);
  }

  private isTime(part: string, done: number, total: number): boolean {
    const { told } = this;
    const since = told.part === part && told.done < done ? told.done : 0;
    const passed = Date.now() - told.time;
    if (passed < SHORTEST || (passed < LONGEST && done - since < total / PER_PART)) return false;
    this.told = { time: Date.now(), part, done };
    return true;
  }

  take({ time, kind, text }: Said): void {
    const warning = kind === 'warning';
    this.text.append(`${time.toISOString()} ${warning ? 'warning: ' : ''}${printableLine(text)}\n`);
    if (warning) this.add({ event: 'warning', message: text });
  }
}

function position({ epochs, stepsInEpoch }: Progress) {
  return { epochs, steps: stepsInEpoch };
}
