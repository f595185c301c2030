import type { Experiment } from '../config/schema.js';
import { checkEngine, type EngineChoice } from '../engines/select.js';
import type { Network } from '../networks/network.js';
import type { BuildOptions } from '../util/addon/build.js';
import { checkMemory } from './memory.js';
import { engineOptions } from './model.js';

export interface CheckOptions extends BuildOptions {
  readonly choice: EngineChoice;
  readonly subset?: number | undefined;
  /** That work together. */
  readonly processes: number;
}

/**
 * Throws a UserError for what cannot be trained with this engine on this machine, before anything is fetched. Compiles
 * the native engine where only that tells what the processor can do.
 */
export async function checkTraining(
  experiment: Experiment,
  network: Network,
  { choice, subset, processes, ...build }: CheckOptions,
): Promise<void> {
  checkMemory(experiment, network, { subset, device: choice.device, processes });
  await checkEngine(choice, { ...build, ...engineOptions(experiment) }, network);
}
