import type { Experiment } from '../config/schema.js';
import type { Model, ModelState, TrainResult, TrainStep } from '../engines/engine.js';
import { batchCount, epochOrder, type Split, type Splits } from '../input/batches.js';
import type { Group } from '../mpi/group.js';
import { parameterCount } from '../networks/counts.js';
import type { Network } from '../networks/network.js';
import { type Claim, checkOwner } from '../runs/claim.js';
import type { EpochRow } from '../runs/epochs.js';
import { reportedErrors } from '../runs/reported-errors.js';
import type { RunResult, RunStatus } from '../runs/result.js';
import type { RunFolder } from '../runs/run-folder.js';
import { UserError } from '../util/errors.js';
import { thisProcess } from '../util/owner.js';
import type { Reporter } from '../util/reporter.js';
import type { Transcript } from '../util/transcript.js';
import {
  type Checkpoint,
  NO_PROGRESS,
  type Origin,
  type Progress,
  saveCheckpoint,
  saveWeights,
} from './checkpoint.js';
import { evaluate } from './evaluate.js';
import type { Limits, SessionLimit } from './limits.js';
import { microBatchSize } from './model.js';
import { EpochProgress, epochLine } from './narrate.js';
import { RunLog } from './run-log.js';
import { learningRate } from './schedule.js';
import { type Share, SharedStep, shares } from './shares.js';

export interface TrainingRun {
  readonly experiment: Experiment;
  readonly network: Network;
  readonly splits: Splits;
  readonly model: Model;
  /** For result.json. */
  readonly engine: { readonly description: string };
  /** Undefined in processes that write nothing: all but the first. */
  readonly folder: RunFolder | undefined;
  /** The images that could not be read and were left out so far. */
  skippedImages(): readonly string[];
  readonly start: Omit<Checkpoint, 'origin'>;
  /** Whether it is resumed from the checkpoint that is on the disk. */
  readonly resumed: boolean;
  readonly origin: Origin;
  readonly reporter: Reporter;
  /** Released once result.json says that the run is running. */
  readonly claim?: Claim | undefined;
  /** Aborted by the first Ctrl-C: the step under way is finished, the run is saved. */
  readonly signal: AbortSignal;
  /** Of this session. */
  readonly limits?: Limits | undefined;
  /** The processes that train it together. */
  readonly group: Group;
  /** Whether images may be left out that cannot be read. */
  readonly skipBadImages?: boolean | undefined;
  /** What `reporter` has said so far; what is said from here on, when undefined. */
  readonly transcript?: Transcript | undefined;
  /** Log the loss every N steps. */
  readonly logEvery?: number | undefined;
}

/** Milliseconds between checkpoints inside an epoch: the most work that a power cut can cost. */
const CHECKPOINT_INTERVAL = 10 * 60_000;

/** The epochs of a run: trains and evaluates them, and keeps what the run is to be resumed from, and its results. */
export class Trainer {
  /** Undefined before the run exists, and in processes that write nothing. */
  log: RunLog | undefined;
  private progress: Progress;
  private readonly stepsPerEpoch: number;
  /** The steps of several processes. */
  private together: SharedStep | undefined;
  private savedAt = Date.now();
  private skipped: readonly string[] | undefined;

  constructor(
    private readonly task: TrainingRun & { readonly transcript: Transcript },
    private readonly limit: SessionLimit,
  ) {
    const { experiment, splits } = task;
    this.progress = task.start.progress;
    this.stepsPerEpoch = batchCount(splits.train, experiment.training.batchSize);
  }

  async run(): Promise<void> {
    while (this.progress.epochs < this.task.experiment.training.epochs) {
      await this.trainEpoch();
      await this.finishEpoch();
    }
  }

  /** The steps of one epoch, from where the progress says. */
  private async trainEpoch(): Promise<void> {
    const { experiment, splits, reporter, group, signal } = this.task;
    const { epochs, seed, shuffle } = experiment.training;
    const epoch = this.progress.epochs;
    const order = shuffle ? epochOrder(splits.train, seed, epoch) : splits.train;
    const bar = new EpochProgress(reporter, this.progress, epochs, this.stepsPerEpoch);
    try {
      const first = this.progress.stepsInEpoch;
      let started = performance.now();
      for await (const batch of this.shares(order, first)) {
        this.limit.beforeStep();
        await group.agree();
        signal.throwIfAborted();
        const waited = performance.now() - started;
        const step = batch.number;
        const moment = { epoch, step, epochs, stepsPerEpoch: this.stepsPerEpoch };
        const { loss, correct } = await this.train(batch, {
          learningRate: learningRate(experiment.training.learningRate, moment),
          step: epoch * this.stepsPerEpoch + step,
          accumulate: experiment.training.accumulate,
        });
        const { count } = batch;
        if (!Number.isFinite(loss)) throw diverged('training', loss, epoch, step);
        this.progress = {
          ...this.progress,
          stepsInEpoch: step + 1,
          seen: this.progress.seen + count,
          lossSum: this.progress.lossSum + loss * count,
          wrong: this.progress.wrong + count - correct,
          epochSeconds: this.progress.epochSeconds + (performance.now() - started) / 1000,
          waitSeconds: this.progress.waitSeconds + waited / 1000,
        };
        this.limit.stepDone(performance.now() - started);
        bar.update(this.progress);
        this.log?.step(loss, moment, this.progress);
        if (Date.now() - this.savedAt > CHECKPOINT_INTERVAL) await this.save();
        started = performance.now();
      }
    } finally {
      bar.finish();
    }
    if (this.progress.seen === 0) {
      throw new UserError(
        'data',
        'not one training image can be read',
        'Check the data: densenet data verify',
      );
    }
  }

  /** The batches of the epoch under way, from step `first` on: what of them is this process's. */
  private shares(order: Split, first: number): AsyncGenerator<Share> {
    const { experiment, model, group, skipBadImages: mayLack = false } = this.task;
    const { batchSize, accumulate } = experiment.training;
    const onNext = (images: Float32Array) => model.handOver?.(images);
    const { epochs: epoch } = this.progress;
    return shares(order, { batchSize, accumulate, first, epoch, mayLack, onNext }, group);
  }

  private train(share: Share, step: TrainStep): Promise<TrainResult> {
    const { model, group } = this.task;
    if (group.size === 1) return model.train(share, step);
    this.together ??= new SharedStep(model, group);
    return this.together.train(share, step);
  }

  /** Evaluates the epoch, then writes its results: best weights, checkpoint, epochs.csv, in this order. */
  private async finishEpoch(): Promise<void> {
    const { experiment, splits, folder, model, network, reporter } = this.task;
    const { progress } = this;
    const started = performance.now();
    const validation = splits.validation && (await this.evaluate('validation', splits.validation));
    const test = await this.evaluate('test', splits.test);
    const seconds = progress.epochSeconds + (performance.now() - started) / 1000;
    const step = this.stepsPerEpoch - 1;
    const moment = { epoch: progress.epochs, step, ...experiment.training, stepsPerEpoch: step + 1 };
    const row: EpochRow = {
      epoch: progress.epochs + 1,
      learningRate: learningRate(experiment.training.learningRate, moment),
      trainLoss: progress.lossSum / progress.seen,
      trainError: (100 * progress.wrong) / progress.seen,
      validationLoss: validation?.loss,
      validationError: validation?.error,
      validationTop5Error: validation?.top5Error,
      testLoss: test.loss,
      testError: test.error,
      testTop5Error: test.top5Error,
      seconds,
      imagesPerSecond: progress.seen / progress.epochSeconds,
      waitPercent: (100 * progress.waitSeconds) / progress.epochSeconds,
    };
    if (folder) checkOwner(folder);
    // The log gets the epoch before the checkpoint: after a kill between the two, nobody would add it.
    this.log?.add({ event: 'epoch', ...row });
    await this.log?.settled();
    const history = [...progress.history, row];
    this.progress = {
      ...NO_PROGRESS,
      epochs: row.epoch,
      seconds: progress.seconds + seconds,
      history,
    };
    if (!folder) return;
    const state = await model.exportState();
    const errors = reportedErrors(history, experiment.report);
    if (errors.best.epoch === row.epoch) {
      const { epoch } = row;
      const made = { epoch, steps: epoch * this.stepsPerEpoch };
      await saveWeights(folder.checkpoint('best'), network, state.weights, made);
      await folder.writeJson(folder.checkpointSummary('best'), row);
    }
    await this.save(state);
    this.limit.epochDone();
    await folder.writeEpochs(history);
    reporter.line(epochLine(row, experiment.training.epochs, this.progress.seconds));
  }

  private async evaluate(name: 'validation' | 'test', split: Split) {
    const { experiment, network, model, reporter, group, signal } = this.task;
    const bar = reporter.bar(name, split.indices.length, 'images');
    try {
      const evaluation = await evaluate(model, split, {
        batchSize: microBatchSize(experiment),
        classes: network.classes,
        signal,
        group,
        onProgress: (images) => {
          bar.update(images);
          this.log?.evaluating(this.progress.epochs + 1, name, images, split.indices.length);
        },
      });
      if (!Number.isFinite(evaluation.loss)) {
        throw diverged(name, evaluation.loss, this.progress.epochs, this.progress.stepsInEpoch - 1);
      }
      return evaluation;
    } finally {
      bar.finish();
    }
  }

  /** Writes the checkpoint from which the run can continue. */
  async save(state?: ModelState): Promise<void> {
    const { folder, model, origin } = this.task;
    const { progress } = this;
    if (!folder) return;
    checkOwner(folder);
    const started = performance.now();
    const checkpoint = { state: state ?? (await model.exportState()), progress, origin };
    await saveCheckpoint(folder.checkpoint('last'), checkpoint, folder.checkpoint('previous'));
    const { epochs, stepsInEpoch } = progress;
    await folder.writeJson(folder.checkpointSummary('last'), {
      epochs,
      stepsInEpoch,
      stepsPerEpoch: this.stepsPerEpoch,
      ...(stepsInEpoch === 0 ? progress.history.at(-1) : {}),
    });
    this.savedAt = Date.now();
    const milliseconds = performance.now() - started;
    this.limit.saved(milliseconds);
    this.log?.add({ event: 'checkpoint', epochs, steps: stepsInEpoch, seconds: milliseconds / 1000 });
  }

  /** Begins the log of a run that exists. */
  openLog(): void {
    const { folder, engine, splits, resumed } = this.task;
    if (!folder) return;
    this.log = new RunLog(folder, this.stepsPerEpoch, this.task);
    const trainImages = splits.train.indices.length;
    this.log.begin({ engine: engine.description, trainImages }, resumed ? this.progress : undefined);
  }

  /** Of all processes, at the end of a session. */
  async gatherSkipped(): Promise<void> {
    const { group, skippedImages } = this.task;
    this.skipped = [...new Set((await group.gatherJson(skippedImages())).flat())];
  }

  async writeResult(status: RunStatus, message?: string): Promise<RunResult> {
    const { experiment, network, folder, origin, engine } = this.task;
    const skipped = this.skipped ?? this.task.skippedImages();
    const { history, epochs, seconds, epochSeconds } = this.progress;
    if (folder && status !== 'running') checkOwner(folder);
    const result: RunResult = {
      status,
      epochs,
      parameters: parameterCount(network),
      seconds: seconds + epochSeconds,
      subset: origin.subset,
      engine: engine.description,
      seed: experiment.training.seed,
      ...(history.length > 0 ? reportedErrors(history, experiment.report) : {}),
      skippedImages: skipped.length > 0 ? skipped : undefined,
      paperError: experiment.paper?.error,
      process: status === 'running' ? thisProcess() : undefined,
      message,
    };
    await folder?.writeJson(folder.result, result);
    if (status !== 'running') this.log?.end(status, result, this.progress);
    return result;
  }
}

function diverged(where: string, loss: number, epoch: number, step: number): UserError {
  return new UserError(
    'diverged',
    `the ${where} loss is ${loss} at epoch ${epoch + 1}, step ${step + 1}`,
    'Lower training.learningRate.initial, or check the data. The last good checkpoint is kept.',
  );
}
