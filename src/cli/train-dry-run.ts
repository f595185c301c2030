import { expectedSeconds, measureSpeed, type Speed } from '../bench/speed.js';
import type { Experiment } from '../config/schema.js';
import { createEngine, type EngineChoice } from '../engines/select.js';
import type { Network } from '../networks/network.js';
import { requireFreeMemory } from '../training/memory.js';
import { engineOptions } from '../training/model.js';
import { type Plan, planRun } from '../training/plan.js';
import { UserError } from '../util/errors.js';
import { formatBytes, formatCount, formatDuration } from '../util/format.js';
import { freeMemory } from '../util/machine.js';
import type { Reporter } from '../util/reporter.js';
import { print, printJson } from './print.js';

export interface DryRunOptions {
  readonly data?: string;
  readonly subset?: number;
  readonly threads?: number;
  readonly setup: boolean;
  readonly json?: boolean;
  /** False: nothing is computed (`--no-measure`). */
  readonly measure: boolean;
  /** Processes that would share the work; it is measured for one only. */
  readonly processes: number;
}

/** What was measured here, and what follows from it. */
interface Measured {
  readonly trainImagesPerSecond: number;
  readonly predictImagesPerSecond: number;
  /** Of all epochs. */
  readonly seconds: number;
  /** Resident memory of the whole, with the data. */
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
}

/**
 * `train --dry-run`: prints what training would do and, from a short measurement, the time and memory that it takes
 * here. Throws a UserError (engine) if it does not fit into the memory that is free.
 */
export async function dryRun(
  experiment: Experiment,
  network: Network,
  choice: EngineChoice,
  options: DryRunOptions,
  reporter: Reporter,
): Promise<void> {
  const { processes, json } = options;
  const plan = await planRun(experiment, network, options);
  const measured = await measure(experiment, network, choice, plan, options, reporter);
  if (json) printJson({ experiment, choice, network: network.title, processes, ...plan, measured });
  else print(planLines(experiment, network, plan, measured, processes, choice));
  if (measured) requireFreeMemory(network, measured.memoryBytes, measured.freeMemoryBytes);
}

async function measure(
  experiment: Experiment,
  network: Network,
  choice: EngineChoice,
  plan: Plan,
  options: DryRunOptions,
  reporter: Reporter,
): Promise<Measured | undefined> {
  if (!options.measure || options.processes > 1) return undefined;
  // TensorFlow's library is a large download, and this is to fetch nothing.
  const setup = options.setup && choice.engine === 'native';
  const demands = { ...engineOptions(experiment), threads: options.threads, setup, reporter };
  const engine = await createEngine(choice, demands).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    reporter.warn(`time and memory are not measured: ${error.message}`);
  });
  if (!engine) return undefined;
  reporter.line(`Measuring ${network.title} with a few steps on noise …`);
  const freeMemoryBytes = freeMemory() + process.memoryUsage.rss();
  const speed = await measureSpeed(experiment, engine).finally(() => engine.dispose());
  return outcome(experiment, plan, speed, freeMemoryBytes);
}

function outcome({ training }: Experiment, plan: Plan, speed: Speed, freeMemoryBytes: number): Measured {
  return {
    trainImagesPerSecond: speed.train,
    predictImagesPerSecond: speed.predict,
    seconds: expectedSeconds(training.epochs, plan.images, speed),
    memoryBytes: Math.round(speed.memoryBytes + plan.dataset.memoryBytes),
    freeMemoryBytes,
  };
}

function planLines(
  experiment: Experiment,
  network: Network,
  plan: Plan,
  measured: Measured | undefined,
  processes: number,
  choice: EngineChoice,
): string[] {
  const { images, dataset } = plan;
  const { epochs, batchSize, accumulate } = experiment.training;
  const validation = images.validation > 0 ? `, ${formatCount(images.validation)} validation` : '';
  const parts = accumulate > 1 ? `, each of ${accumulate} micro-batches` : '';
  const each = accumulate / processes;
  return [
    `${experiment.name}: ${network.title}`,
    ...(experiment.description ? [experiment.description] : []),
    `  parameters      ${formatCount(plan.parameters)}`,
    `  multiply-adds   ${formatCount(plan.multiplyAdds)} per image`,
    `  activations     ${formatBytes(plan.activationBytes)} per ${accumulate > 1 ? 'micro-batch' : 'batch'} of ${batchSize / accumulate}`,
    `  images          ${formatCount(images.train)} training${validation}, ${formatCount(images.test)} test`,
    `  steps           ${formatCount(plan.steps)} (${epochs} epochs of ${formatCount(plan.stepsPerEpoch)})${parts}`,
    ...(processes > 1
      ? [`  processes       ${processes}, each with ${each} micro-batch${each === 1 ? '' : 'es'} of a step`]
      : []),
    `  operations      ${plan.trainingFlops.toExponential(1)} floating-point operations of training`,
    ...(measured ? measuredLines(measured, choice) : []),
    dataset.present
      ? `  data            present in ${dataset.folder}`
      : `  data            ${missingData(experiment, dataset)}`,
    'Nothing was fetched or trained, and nothing was written to the results (--dry-run).',
  ];
}

function missingData(
  { dataset: { name } }: Experiment,
  { brought, downloadBytes, folder }: Plan['dataset'],
): string {
  return brought
    ? `not present; import it with: densenet data fetch ${name} --from DIR`
    : `${formatBytes(downloadBytes)} to be fetched to ${folder}`;
}

function measuredLines(measured: Measured, { gpu }: EngineChoice): string[] {
  const { trainImagesPerSecond, predictImagesPerSecond, seconds, memoryBytes, freeMemoryBytes } = measured;
  const [train, predict] = [trainImagesPerSecond, predictImagesPerSecond].map((speed) => speed.toFixed(1));
  return [
    `  time            ${formatDuration(seconds)} here: ${train} images/s in training, ${predict} in evaluation`,
    `  memory          about ${formatBytes(memoryBytes)} of ${formatBytes(freeMemoryBytes)} that are free`,
    ...(gpu ? [`  GPU memory      a step fits into ${formatBytes(gpu.freeMemory ?? gpu.memory)}`] : []),
  ];
}
