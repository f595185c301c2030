import { readFile } from 'node:fs/promises';
import type { ModelState } from '../engines/engine.js';
import type { Network } from '../networks/network.js';
import { elementCount, isTrainable, parameters } from '../networks/parameters.js';
import { checkWeights } from '../networks/weights.js';
import type { EpochRow } from '../runs/epochs.js';
import { UserError } from '../util/errors.js';
import { writeFileAtomic } from '../util/files.js';
import { decodeSafetensors, encodeSafetensors } from '../util/safetensors.js';
import type { Tensor } from '../util/tensor.js';
import { decodeTensorFile } from '../util/tensor-file.js';

/** How far a run has come. With the model's state it is all that a resumed run needs. */
export interface Progress {
  /** Epochs finished and evaluated. */
  readonly epochs: number;
  /** Steps done of the epoch under way. */
  readonly stepsInEpoch: number;
  /** Sums over the images of the epoch under way. */
  readonly seen: number;
  readonly lossSum: number;
  readonly wrong: number;
  readonly epochSeconds: number;
  /** How much of them training waited for images. */
  readonly waitSeconds: number;
  /** Seconds of the finished epochs. */
  readonly seconds: number;
  readonly history: readonly EpochRow[];
}

export const NO_PROGRESS: Progress = {
  epochs: 0,
  stepsInEpoch: 0,
  seen: 0,
  lossSum: 0,
  wrong: 0,
  epochSeconds: 0,
  waitSeconds: 0,
  seconds: 0,
  history: [],
};

const MOMENTUM = 'momentum.';
const PROGRESS = 'densenet.progress';

const NO_CHECKPOINT = 'The run was stopped before it began. Start it again with train --config.';

/**
 * Writes a checkpoint as one safetensors file: weights under their names, the optimiser's momentum under
 * `momentum.<name>`, the progress as JSON in the metadata. One file, written whole or not at all.
 */
export async function saveCheckpoint(path: string, state: ModelState, progress: Progress): Promise<void> {
  const tensors = new Map<string, Tensor>(state.weights);
  for (const [name, tensor] of state.momentum) tensors.set(`${MOMENTUM}${name}`, tensor);
  await writeFileAtomic(path, encodeSafetensors(tensors, { [PROGRESS]: JSON.stringify(progress) }));
}

/** Reads a checkpoint of this network. Throws a UserError (data) if it is missing, damaged or of another network. */
export async function loadCheckpoint(
  path: string,
  network: Network,
): Promise<{ state: ModelState; progress: Progress }> {
  const { tensors, metadata } = decodeSafetensors(await readWhole(path, NO_CHECKPOINT), path);
  const weights = new Map<string, Tensor>();
  const momentum = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) {
    if (name.startsWith(MOMENTUM)) momentum.set(name.slice(MOMENTUM.length), tensor);
    else weights.set(name, tensor);
  }
  const checked = checkWeights(network, weights, path);
  const progress = metadata[PROGRESS];
  const complete = parameters(network).every(
    (parameter) =>
      !isTrainable(parameter) || momentum.get(parameter.name)?.data.length === elementCount(parameter.shape),
  );
  if (progress === undefined || !complete) {
    throw new UserError(
      'data',
      `${path} holds weights but not the state of a training run`,
      'Start a new run from it: densenet train --config … --init FILE',
    );
  }
  return {
    state: { weights: checked, momentum },
    progress: { ...NO_PROGRESS, ...(JSON.parse(progress) as Progress) },
  };
}

/** Reads weights alone: of a checkpoint, or of a file from elsewhere. Throws a UserError (data) if they do not fit. */
export async function loadWeights(path: string, network: Network): Promise<ModelState['weights']> {
  return decodeWeights(await readWeightsFile(path), path, network);
}

/** The bytes of a checkpoint or of a file from elsewhere. Throws a UserError (data) if it cannot be read. */
export function readWeightsFile(path: string): Promise<Uint8Array> {
  return readWhole(
    path,
    'Give the path of a .safetensors or .npz file; a run has last and best once its first epoch is done.',
  );
}

/** The network's weights in a file's bytes, but for those that `skip` says; momentum is left out. */
export function decodeWeights(
  bytes: Uint8Array,
  path: string,
  network: Network,
  skip?: (name: string) => boolean,
): ModelState['weights'] {
  const { tensors } = decodeTensorFile(bytes, path);
  const weights = new Map([...tensors].filter(([name]) => !name.startsWith(MOMENTUM)));
  return checkWeights(network, weights, path, skip);
}

async function readWhole(path: string, remedy: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UserError('data', `cannot read ${path}: ${(error as Error).message}`, remedy, { cause: error });
  }
}

/** A state at the beginning of training: these weights, no momentum. */
export function initialState(network: Network, weights: ModelState['weights']): ModelState {
  const momentum = new Map<string, Tensor>();
  for (const parameter of parameters(network)) {
    if (!isTrainable(parameter)) continue;
    const { name, shape } = parameter;
    momentum.set(name, { shape, data: new Float32Array(elementCount(shape)) });
  }
  return { weights, momentum };
}
