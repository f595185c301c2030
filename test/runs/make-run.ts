import { loadExperiment } from '../../src/config/load.js';
import { dataFolder, presentDigest } from '../../src/datasets/index.js';
import { parameterCount } from '../../src/networks/counts.js';
import type { Environment, InitialWeights } from '../../src/runs/environment.js';
import type { EpochRow } from '../../src/runs/epochs.js';
import { createRunFolder } from '../../src/runs/folders.js';
import { reportedErrors } from '../../src/runs/reported-errors.js';
import type { RunResult } from '../../src/runs/result.js';
import type { RunFolder } from '../../src/runs/run-folder.js';
import { networkOf } from '../../src/training/model.js';
import { thisProcess } from '../../src/util/owner.js';

export interface MadeRun {
  readonly set?: readonly string[];
  /** Test error of each epoch, in percent. */
  readonly errors?: readonly number[];
  /** Top-5 error of every epoch, where it was counted. */
  readonly top5Error?: number;
  readonly status?: RunResult['status'];
  readonly subset?: number;
  readonly init?: InitialWeights;
  readonly message?: string;
  readonly environment?: Partial<Environment>;
}

export const ENVIRONMENT: Environment = {
  started: '2026-11-24T10:00:00.000Z',
  densenet: '0.1.0',
  git: undefined,
  node: process.version,
  platform: 'linux x64',
  host: thisProcess().host,
  pid: process.pid,
  cpu: { model: 'a CPU', cores: 2 },
  memoryBytes: 8e9,
  engine: { name: 'native', device: 'cpu', description: 'native engine on CPU' },
  commandLine: ['train'],
};

let made = 0;

/** A run folder as training leaves it, but for the checkpoints. */
export async function makeRun(resultsFolder: string, config: string, run: MadeRun = {}): Promise<RunFolder> {
  const { set = [], errors = [50, 20], status = 'finished', subset, init, message } = run;
  const experiment = await loadExperiment(config, { set });
  const { seed } = experiment.training;
  const time = new Date(Date.UTC(2026, 10, 24, 10) + 1000 * made++);
  const digest = (await presentDigest(experiment.dataset, dataFolder())) ?? '00';
  const dataset = { name: experiment.dataset.name, digest };
  const environment = { ...ENVIRONMENT, dataset, ...run.environment, init, resumed: [] };
  const folder = await createRunFolder(resultsFolder, experiment.name, environment, seed, time);
  await folder.writeJson(folder.config, experiment);
  const rows = errors.map(
    (testError, index): EpochRow => ({
      epoch: index + 1,
      learningRate: 0.1,
      trainLoss: testError / 40,
      trainError: testError + 1,
      testLoss: testError / 50,
      testError,
      testTop5Error: run.top5Error,
      seconds: 10,
      imagesPerSecond: 100,
    }),
  );
  await folder.writeEpochs(rows);
  const result: RunResult = {
    status,
    epochs: rows.length,
    parameters: parameterCount(networkOf(experiment)),
    seconds: 10 * rows.length,
    subset,
    engine: ENVIRONMENT.engine.description,
    seed,
    ...(rows.length > 0 ? reportedErrors(rows, experiment.report) : {}),
    paperError: experiment.paper?.error,
    message,
  };
  await folder.writeJson(folder.result, result);
  return folder;
}
