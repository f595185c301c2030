import { loadExperiment } from '../../src/config/load.js';
import type { Experiment } from '../../src/config/schema.js';
import type { Batch, Model, ModelState } from '../../src/engines/engine.js';
import { batches, epochOrder, type Splits } from '../../src/input/batches.js';
import { initialValues } from '../../src/networks/parameters.js';
import { initialState } from '../../src/training/checkpoint.js';
import { loadExperimentData } from '../../src/training/data.js';
import { modelOptions, networkOf } from '../../src/training/model.js';
import { learningRate } from '../../src/training/schedule.js';
import { silent } from '../../src/util/reporter.js';
import { type TestedEngine, withModel } from './conformance/models.js';

/** An experiment and its data. */
export interface Run {
  readonly experiment: Experiment;
  readonly splits: Splits;
}

/** The quickstart, on images that come with the program, perhaps with other settings, on the first images only. */
export async function quickstart(options: { set?: string[]; subset?: number } = {}): Promise<Run> {
  const experiment = await loadExperiment('quickstart', options);
  const data = { ...options, folder: '/nowhere', setup: false, reporter: silent };
  const { splits } = await loadExperimentData(experiment, data);
  return { experiment, splits };
}

/** The state in which its training begins. */
export function initial({ experiment }: Run): ModelState {
  const network = networkOf(experiment);
  return initialState(network, initialValues(network, experiment.training.seed));
}

/** What an experiment's training shows: the loss of every step, its last state, and what `use` makes of the model. */
export interface Trained<Result> {
  readonly losses: readonly number[];
  readonly state: ModelState;
  readonly result: Result;
}

/** Trains as the program does, from the experiment's initial weights, `steps` steps or to the end. */
export async function trainExperiment<Result>(
  engine: TestedEngine,
  run: Run,
  steps: number,
  use: (model: Model) => Promise<Result>,
): Promise<Trained<Result>> {
  const { experiment, splits } = run;
  return withModel(engine, networkOf(experiment), modelOptions(experiment), initial(run), async (model) => {
    const losses: number[] = [];
    for await (const { batch, rate } of stepsOf(experiment, splits)) {
      if (losses.length === steps) break;
      losses.push((await model.train(batch, { learningRate: rate, step: losses.length })).loss);
    }
    return { losses, state: await model.exportState(), result: await use(model) };
  });
}

async function* stepsOf(
  { training }: Experiment,
  splits: Splits,
): AsyncGenerator<{ batch: Batch; rate: number }> {
  const { epochs, seed, batchSize } = training;
  const stepsPerEpoch = Math.ceil(splits.train.indices.length / batchSize);
  for (let epoch = 0; epoch < epochs; epoch++) {
    let step = 0;
    for await (const batch of batches(epochOrder(splits.train, seed, epoch), { batchSize, epoch })) {
      yield {
        batch,
        rate: learningRate(training.learningRate, { epoch, step: step++, epochs, stepsPerEpoch }),
      };
    }
  }
}
