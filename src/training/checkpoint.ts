import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { ModelState } from '../engines/engine.js';
import type { Network } from '../networks/network.js';
import { elementCount, isTrainable, parameters } from '../networks/parameters.js';
import { checkWeights, weightsFile } from '../networks/weights.js';
import { environmentSchema, initialWeightsSchema } from '../runs/environment.js';
import { type EpochRow, epochRowSchema } from '../runs/epochs.js';
import type { RunFolder } from '../runs/run-folder.js';
import { UserError } from '../util/errors.js';
import { cannotWrite, writeFileAtomic } from '../util/files.js';
import { readSmallFile } from '../util/read-files.js';
import type { Reporter } from '../util/reporter.js';
import { decodeSafetensors, encodeSafetensors } from '../util/safetensors.js';
import { seal, UNSEALED } from '../util/seal.js';
import type { StoredTensor } from '../util/stored-tensor.js';
import type { Tensor } from '../util/tensor.js';
import { openTensorFile } from '../util/tensor-file.js';
import { type Trained, trainedIn, trainedMetadata } from './trained.js';

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

const sum = z.number().default(0);

/** What earlier versions did not count is 0. */
const progressSchema: z.ZodType<Progress> = z.object({
  epochs: z.int(),
  stepsInEpoch: z.int(),
  seen: sum,
  lossSum: sum,
  wrong: sum,
  epochSeconds: sum,
  waitSeconds: sum,
  seconds: sum,
  history: z.array(epochRowSchema),
});

/** How a run was begun, beside its config: it must continue the same way, whatever became of its other files. */
const originSchema = z.object({
  /** First N images of each split, where the run does not use all. */
  subset: z.int().optional(),
  init: initialWeightsSchema.optional(),
  /** What trained it last. */
  engine: environmentSchema.shape.engine,
  /** What it was trained on; earlier versions left it to environment.json. */
  dataset: environmentSchema.shape.dataset,
});
export type Origin = Readonly<z.infer<typeof originSchema>>;

export interface Checkpoint {
  readonly state: ModelState;
  readonly progress: Progress;
  /** Undefined in checkpoints of earlier versions. */
  readonly origin: Origin | undefined;
}

const MOMENTUM = 'momentum.';
/** Keys of the metadata. */
const PROGRESS = 'densenet.progress';
const ORIGIN = 'densenet.run';

const NO_CHECKPOINT = 'The run was stopped before it began. Start it again with train --config.';

/**
 * Writes a checkpoint as one safetensors file: weights under their names, the optimiser's momentum under
 * `momentum.<name>`, progress and origin as JSON in the metadata, sealed with a digest. One file, written whole or not
 * at all. The one before is kept as `previous`.
 */
export async function saveCheckpoint(
  path: string,
  { state, progress, origin }: Checkpoint,
  previous?: string,
): Promise<void> {
  const tensors = new Map<string, Tensor>(state.weights);
  for (const [name, tensor] of state.momentum) tensors.set(`${MOMENTUM}${name}`, tensor);
  const metadata = {
    ...UNSEALED,
    [PROGRESS]: JSON.stringify(progress),
    ...(origin ? { [ORIGIN]: JSON.stringify(origin) } : {}),
  };
  await writeFileAtomic(path, seal(encodeSafetensors(tensors, metadata)), previous);
}

/** Writes weights alone, as PyTorch takes them, sealed with a digest. `steps` led to them. */
export async function saveWeights(
  path: string,
  network: Network,
  weights: ModelState['weights'],
  { epoch, steps }: { readonly epoch: number; readonly steps: number },
): Promise<void> {
  const made = trainedMetadata({ epochs: epoch, steps: 0 });
  const bytes = weightsFile(network, weights, steps, { ...UNSEALED, ...made });
  await writeFileAtomic(path, seal(bytes));
}

/** Reads a checkpoint of this network. Throws a UserError (data) if it is missing, damaged or of another network. */
export async function loadCheckpoint(path: string, network: Network): Promise<Checkpoint> {
  const { tensors, metadata } = decodeSafetensors(await readWhole(path, network, NO_CHECKPOINT), path);
  const weights = new Map<string, Tensor>();
  const momentum = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) {
    if (name.startsWith(MOMENTUM)) momentum.set(name.slice(MOMENTUM.length), tensor);
    else weights.set(name, tensor);
  }
  const checked = checkWeights(network, weights, path);
  const complete = parameters(network).every(
    (parameter) =>
      !isTrainable(parameter) || momentum.get(parameter.name)?.data.length === elementCount(parameter.shape),
  );
  const progress = readMetadata(metadata, PROGRESS, progressSchema, path);
  if (progress === undefined || !complete) {
    throw new UserError(
      'data',
      `${path} holds weights but not the state of a training run`,
      'Start a new run from it: densenet train --config … --init FILE',
    );
  }
  const origin = readMetadata(metadata, ORIGIN, originSchema, path);
  return { state: { weights: checked, momentum }, progress, origin };
}

/**
 * The newest checkpoint of a run that is whole: its last or, if that is missing or damaged, the one before. Throws a
 * UserError (data) if neither is.
 */
export async function loadNewestCheckpoint(
  folder: RunFolder,
  network: Network,
  reporter: Reporter,
): Promise<Checkpoint> {
  const last = folder.checkpoint('last');
  const previous = folder.checkpoint('previous');
  try {
    return await loadCheckpoint(last, network);
  } catch (error) {
    if (!(error instanceof UserError) || !existsSync(previous)) throw error;
    const checkpoint = await loadCheckpoint(previous, network).catch(() => {
      throw error;
    });
    reporter.warn(`${error.message}; the run is resumed from the checkpoint before it`);
    // The damaged one must not become the one before.
    await rename(previous, last).catch((cause) => {
      throw cannotWrite(last, cause);
    });
    return checkpoint;
  }
}

function readMetadata<T>(
  metadata: Readonly<Record<string, string>>,
  key: string,
  schema: z.ZodType<T>,
  path: string,
): T | undefined {
  const text = metadata[key];
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new UserError(
      'data',
      `${path}: its ${key} cannot be read`,
      'The file is damaged: take another checkpoint or run.',
      { cause },
    );
  }
}

/** Weights, and what they are the outcome of; undefined for files from elsewhere. */
export interface LoadedWeights {
  readonly weights: ModelState['weights'];
  readonly trained: Trained | undefined;
}

/** Reads weights alone: of a checkpoint, or of a file from elsewhere. Throws a UserError (data) if they do not fit. */
export async function loadWeights(path: string, network: Network): Promise<LoadedWeights> {
  const file = openTensorFile(await readWeightsFile(path, network), path);
  return {
    weights: weightsAmong(file.tensors, path, network),
    trained: await trainedBy(file.metadata, path),
  };
}

async function trainedBy(
  metadata: Readonly<Record<string, string>>,
  path: string,
): Promise<Trained | undefined> {
  const progress = readMetadata(metadata, PROGRESS, progressSchema, path);
  if (progress) return { epochs: progress.epochs, steps: progress.stepsInEpoch };
  return trainedIn(metadata) ?? trainedBeside(path);
}

/** Of a summary beside weights: many times what one has. */
const MOST_SUMMARY = 1e6;

/** Earlier versions kept the epoch of a run's best weights in the file beside them only. */
async function trainedBeside(path: string): Promise<Trained | undefined> {
  if (basename(path) !== 'best.safetensors') return undefined;
  try {
    const summary = await readSmallFile(join(dirname(path), 'best.json'), MOST_SUMMARY);
    const { epoch } = z.object({ epoch: z.int() }).parse(JSON.parse(summary.toString('utf8')));
    return { epochs: epoch, steps: 0 };
  } catch {
    return undefined;
  }
}

/**
 * The bytes of a checkpoint or of a file from elsewhere. Throws a UserError (data) if it cannot be read, or is larger
 * than any file of the network's weights.
 */
export function readWeightsFile(path: string, network: Network): Promise<Uint8Array> {
  return readWhole(
    path,
    network,
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
  return weightsAmong(openTensorFile(bytes, path).tensors, path, network, skip);
}

function weightsAmong(
  tensors: ReadonlyMap<string, StoredTensor>,
  path: string,
  network: Network,
  skip?: (name: string) => boolean,
): ModelState['weights'] {
  const stored = new Map([...tensors].filter(([name]) => !name.startsWith(MOMENTUM)));
  const checked = checkWeights(network, stored, path, skip);
  return new Map([...checked].map(([name, tensor]) => [name, tensor.read()]));
}

/** A file of another network is told by what it holds, so any usual file is read. */
const USUAL_BYTES = 2 ** 30;
/** Weights, momentum and another value, of double precision. */
const BYTES_PER_PARAMETER = 24;

async function readWhole(path: string, network: Network, remedy: string): Promise<Uint8Array> {
  const count = parameters(network).reduce((sum, { shape }) => sum + elementCount(shape), 0);
  try {
    return await readSmallFile(path, USUAL_BYTES + BYTES_PER_PARAMETER * count);
  } catch (error) {
    if (error instanceof UserError) throw error;
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
