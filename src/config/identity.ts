import { isDeepStrictEqual } from 'node:util';
import { isPlainObject } from './merge.js';
import type { Experiment } from './schema.js';

/** When two experiments are the same: for resuming a run, for a sweep, for a row of a table. */

/** Dotted paths at which two values differ, in order; lists count as one value. */
export function changedKeys(a: unknown, b: unknown, path: readonly string[] = []): string[] {
  if (isPlainObject(a) && isPlainObject(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].flatMap((key) => changedKeys(a[key], b[key], [...path, key]));
  }
  return isDeepStrictEqual(a, b) ? [] : [path.join('.')];
}

/**
 * The keys at which two experiments differ, but for what a config says about itself: its description and the paper's
 * number. If there are none, they are the same run, to the bit, and a run of either can be resumed as the other.
 */
export function differences(a: Experiment | undefined, b: Experiment | undefined): string[] {
  return changedKeys(a && definition(a), b && definition(b));
}

/** The same for two experiments exactly if they are the same run. */
export function runKey(experiment: Experiment): string {
  return JSON.stringify(definition(experiment));
}

function definition({ description: _description, paper: _paper, ...rest }: Experiment) {
  return { ...rest, dataset: sameData(rest.dataset) };
}

/**
 * What a network is trained by: data and training. The seed, which is chance, and what changes only memory or
 * speed do not count. Two experiments of one recipe and one network are repetitions, and their results are averaged.
 */
export function recipe({ dataset, training, report }: Experiment) {
  const { seed: _seed, memoryEfficient: _memory, compile: _compile, ...rest } = training;
  return { dataset: sameData(dataset), training: rest, report };
}

/** The same for two experiments exactly if one repeats the other, with another seed or name. */
export function repetitionKey(experiment: Experiment): string {
  return JSON.stringify([experiment.network, recipe(experiment)]);
}

/**
 * The data, however they are written down. Augmentations are a set: in which order a config lists them changes nothing.
 * Of a folder, what it holds counts, not where it lies.
 */
function sameData(dataset: Experiment['dataset']): Experiment['dataset'] {
  const { path, ...rest } = dataset;
  const augmentation = [...dataset.augmentation].sort();
  return dataset.contents ? { ...rest, augmentation } : { ...dataset, augmentation };
}
