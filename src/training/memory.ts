import type { Experiment } from '../config/schema.js';
import { definitionOf } from '../datasets/index.js';
import { SMALLER } from '../engines/full-memory.js';
import { activationBytes, parameterCount } from '../networks/counts.js';
import type { Network } from '../networks/network.js';
import { stageShapes } from '../networks/stages.js';
import { UserError } from '../util/errors.js';
import { formatBytes } from '../util/format.js';
import { usableMemory } from '../util/machine.js';
import { microBatchSize } from './model.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** What lies in memory for each parameter: weight, momentum, gradient. */
const VALUES_PER_PARAMETER = 3;

/**
 * Bytes that training takes on any engine: what belongs to the parameters, and the feature maps of `images` images that
 * the backward pass needs. Engines take more.
 */
export function leastMemory(network: Network, images: number, memoryEfficient: boolean): number {
  const { channels, height, width } = network.input;
  // What is recomputed need not lie there; the output of a stage holds those of its layers.
  const maps = memoryEfficient
    ? stageShapes(network).reduce(
        (sum, { output }) => sum + output.channels * output.height * output.width,
        channels * height * width,
      ) *
      images *
      FLOAT
    : activationBytes(network, images);
  return parameterCount(network) * VALUES_PER_PARAMETER * FLOAT + maps;
}

/**
 * Throws a UserError (engine) where a network cannot be trained in the memory that this process may have, before
 * anything is fetched or allocated.
 */
export function checkMemory(
  experiment: Experiment,
  network: Network,
  {
    subset = Number.POSITIVE_INFINITY,
    device,
    processes = 1,
  }: { readonly subset?: number | undefined; readonly device: 'cpu' | 'gpu'; readonly processes?: number },
): void {
  const { trainCount } = definitionOf(experiment.dataset);
  // A GPU has its own memory for feature maps.
  const images = device === 'gpu' ? 0 : Math.min(microBatchSize(experiment), trainCount, subset);
  // Several processes send the gradient of each of their micro-batches, receive as much, and keep the sum.
  const gradients = processes > 1 ? (2 * experiment.training.accumulate) / processes + 1 : 0;
  requireMemory(network, images, experiment.training.memoryEfficient, gradients);
}

/** Throws a UserError (engine) where training takes more memory, in bytes, than is free. */
export function requireFreeMemory({ title }: Network, needed: number, free: number): void {
  if (needed <= free) return;
  throw new UserError(
    'engine',
    `${title} does not fit into memory: training takes about ${formatBytes(needed)}, and ${formatBytes(free)} are free`,
    `Close other programs, or take less. ${SMALLER}`,
  );
}

/** The same for a network alone, `images` images that go through it at once, and so many gradients more than one. */
export function requireMemory(
  network: Network,
  images: number,
  memoryEfficient: boolean,
  gradients = 0,
): void {
  const needed = leastMemory(network, images, memoryEfficient) + gradients * parameterCount(network) * FLOAT;
  const there = usableMemory();
  if (needed <= there) return;
  throw new UserError(
    'engine',
    `${network.title} does not fit into memory: training needs at least ${formatBytes(needed)}, and this machine has ${formatBytes(there)}`,
    SMALLER,
  );
}
