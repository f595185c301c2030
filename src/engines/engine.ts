import type { Network } from '../networks/network.js';
import type { Reporter } from '../util/reporter.js';
import type { NamedTensors } from '../util/tensor.js';

/** A mini-batch, ready for the network. */
export interface Batch {
  /** Normalised images, [N, C, H, W] row-major. */
  readonly images: Float32Array;
  /** Class of each image, [N], 0 … classes−1. */
  readonly labels: Int32Array;
}

/** Stochastic gradient descent, in PyTorch's form: v ← μv + g + λw; w ← w − η(g + λw + μv) with Nesterov. */
export interface OptimizerOptions {
  /** μ; dampening is 0. */
  readonly momentum: number;
  readonly nesterov: boolean;
  /** λ, applied to every trainable parameter, as in the authors' code. */
  readonly weightDecay: number;
}

/**
 * What convolutions multiply. `tf32`: float32 numbers, of which an NVIDIA GPU reads 11 significant bits. `bfloat16`:
 * numbers of 8 significant bits.
 */
export const PRECISIONS = ['float32', 'tf32', 'bfloat16'] as const;
export type Precision = (typeof PRECISIONS)[number];

export interface ModelOptions {
  readonly optimizer: OptimizerOptions;
  /** Keys the dropout masks. */
  readonly seed: number;
  /** Recompute what is cheap in the backward pass instead of keeping it: less memory, more time. */
  readonly memoryEfficient: boolean;
  /** The engine's own, where it was made with one. */
  readonly precision: Precision;
}

export interface TrainStep {
  /** η of this step. */
  readonly learningRate: number;
  /** Number of optimiser steps before this one, over the whole run. With the seed it decides the dropout masks. */
  readonly step: number;
  /**
   * n: the batch goes through the network in n micro-batches, one after another (`microBatches`), and their
   * gradients add up to that of the batch's mean loss. 1 when absent. The memory is a micro-batch's. Batch
   * statistics, running statistics and dropout masks are of each micro-batch; all else is as with the whole batch.
   */
  readonly accumulate?: number;
}

/** A part of a batch that goes through the network at once: images `begin` … `end` − 1. */
export interface MicroBatch {
  readonly begin: number;
  readonly end: number;
  /** Number of micro-batches before this one, over the whole run: names its random numbers. */
  readonly draw: number;
}

/**
 * Cuts a batch of `images` into the micro-batches of its step: n runs of images whose sizes differ by one at
 * most, and as many as images where there are fewer. So the last batch of an epoch, which may be smaller, has
 * smaller micro-batches; each counts by its images.
 */
export function microBatches(images: number, { step, accumulate = 1 }: TrainStep): MicroBatch[] {
  const count = Math.min(accumulate, images);
  const start = (part: number) => Math.floor((images * part) / count);
  return Array.from({ length: count }, (_, part) => ({
    begin: start(part),
    end: start(part + 1),
    draw: step * accumulate + part,
  }));
}

export interface TrainResult {
  /** Mean cross-entropy of the batch, before the update. May be non-finite: the caller decides. */
  readonly loss: number;
  /** How many images of the batch the network classified correctly, before the update. */
  readonly correct: number;
}

/** What a micro-batch adds to its step, in flat arrays of the engine's own order, so that it can travel. */
export interface Contribution {
  /** Its share of the gradient of the batch's mean loss. */
  readonly gradient: Float32Array;
  /** What running statistics are moved by. */
  readonly statistics: Float64Array;
}

/** All that a model knows. Both maps are in PyTorch's layouts, with the names of `parameters(network)`. */
export interface ModelState {
  /** Trainable parameters and running statistics. */
  readonly weights: NamedTensors;
  /** The optimiser's momentum v of every trainable parameter, under the parameter's name; 0 before the first step. */
  readonly momentum: NamedTensors;
}

/** Time of one pass of one stage, summed over its layers and over the steps since the last profile. */
export interface ProfileEntry {
  /** `conv0`, `denseblock1`, `transition1`, …, `classifier`. */
  readonly stage: string;
  /** Kind of layer and direction, for example `3x3 backward`. */
  readonly pass: string;
  readonly seconds: number;
  /** Floating-point operations of the definition, two per multiply-add; 0 for a pass without products. */
  readonly operations: number;
}

/**
 * A network on a device. Calls take a batch at a time, are asynchronous and must not overlap; they never
 * block the main thread for long. Arguments are complete and checked by the caller.
 */
export interface Model {
  /**
   * One optimiser step on one batch (any size ≥ 1): forward in training mode and backward, by micro-batches; update.
   */
  train(batch: Batch, step: TrainStep): Promise<TrainResult>;
  /** Lengths of a contribution's arrays. */
  readonly contributionSize: { readonly gradient: number; readonly statistics: number };
  /**
   * Says which images the call after the one under way will be given, so that an engine in another process gets them
   * while it computes. They must not change until then, and need not be given after all. Changes no result.
   */
  handOver?(images: Float32Array): void;
  /**
   * The first part of `train`, for one micro-batch: forward and backward. `batch` holds it, perhaps among others of the
   * step, which has `stepImages` images. Fills `into`, and returns its share of the step's mean loss.
   */
  contribute(
    batch: Batch,
    part: MicroBatch & { readonly stepImages: number },
    into: Contribution,
  ): Promise<TrainResult>;
  /**
   * The second part: the update with the sum of the micro-batches' gradients, and with their `statistics` one after
   * another, those of `draws` in order. Together they are `train` to the bit, if each gradient is added to the sum of
   * those before it.
   */
  apply(
    sum: Contribution,
    step: { readonly learningRate: number; readonly draws: readonly number[] },
  ): Promise<void>;
  /** Logits [N, classes] in evaluation mode (running statistics, no dropout). */
  predict(images: Float32Array): Promise<Float32Array>;
  exportState(): Promise<ModelState>;
  /** Replaces the whole state. Shapes and names are the caller's to check. */
  importState(state: ModelState): Promise<void>;
  /** Where the time of training steps went since the last call; absent where the engine does not measure it. */
  profile?(): ProfileEntry[];
  dispose(): Promise<void>;
}

export interface Engine {
  readonly name: EngineName;
  readonly device: 'cpu' | 'gpu';
  /** For people and environment.json, for example `TensorFlow 2.21.0 on CPU, 2 threads`. */
  readonly description: string;
  /** The precision in force, for environment.json, for example `float32, with TF32 switched off`. */
  readonly precision: string;
  /** Counts the versions of its kernels, other ones ending in other bits; absent for the first. */
  readonly kernels?: number;
  /** A model that holds nothing yet: `importState` comes before every other call but `dispose`. */
  createModel(network: Network, options: ModelOptions): Promise<Model>;
  /** Largest resident memory so far, in bytes, of processes of the engine's own; absent where it has none. */
  peakMemory?(): Promise<number>;
  dispose(): Promise<void>;
}

export const ENGINE_NAMES = ['native', 'tensorflow'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** For people. */
export const ENGINE_TITLES: Readonly<Record<EngineName, string>> = {
  native: 'native engine',
  tensorflow: 'TensorFlow engine',
};

/** A GPU that can be computed on. */
export interface Gpu {
  /** Its number among those that the program sees, as `--gpu` takes it. */
  readonly index: number;
  /** What CUDA_VISIBLE_DEVICES must be for a process that is to use it alone. */
  readonly visibleDevice: string;
  /** For people, with the driver. */
  readonly name: string;
  /** Compute capability: 8.6 is [8, 6]. */
  readonly capability: readonly [number, number];
  /** In bytes. */
  readonly memory: number;
  /** In bytes; undefined where the driver does not say. */
  readonly freeMemory?: number;
}

export interface EngineOptions {
  readonly device: 'auto' | 'cpu' | 'gpu';
  /** With the device 'gpu': the one to use; TensorFlow's first when undefined. */
  readonly gpu?: Gpu;
  /** CPU threads; all cores when undefined. */
  readonly threads?: number;
  /**
   * Images that usually go through the network at once: an engine may choose its kernels by it. It changes speed and
   * rounding only.
   */
  readonly batchSize?: number;
  /** Compile passes of `batchSize` images; the native engine is compiled as it is, and refuses. */
  readonly compile?: boolean;
  /** Of the models that will be made: some of it is decided when the engine starts. float32 when undefined. */
  readonly precision?: Precision;
  /** Build or fetch what is missing; false refuses instead (`--no-setup`). */
  readonly setup: boolean;
  /** Hears what is being set up. */
  readonly reporter: Reporter;
  /** Stops what is being set up; `createEngine` then throws its reason. */
  readonly signal?: AbortSignal | undefined;
}
