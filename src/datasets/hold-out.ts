import { UserError } from '../util/errors.js';
import { type Key, key, PURPOSE, permutation } from '../util/random.js';
import type { Dataset } from './dataset.js';

/** Indices into `dataset.train`, ascending; together they are all of it. */
export interface HeldOut {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
}

/**
 * Chooses `validation` of the training images as a validation set: a pure function of `seed`. Uniformly at
 * random; or, for a dataset with a customary validation set of just that size (SVHN: 6,000), as it says.
 * Throws `UserError` when there are not enough images.
 */
export function holdOut(dataset: Dataset, validation: number, seed: number): HeldOut {
  const { count, labels } = dataset.train;
  checkHoldOut(dataset.definition.title, count, validation);
  const { holdOutParts = [], classNames } = dataset.definition;
  const customary = holdOutParts.reduce((sum, part) => sum + part.perClass * classNames.length, 0);
  const held = new Uint8Array(count);
  if (customary > 0 && validation === customary) {
    holdOutParts.forEach((part, i) => {
      const own = labels.subarray(part.first, part.first + part.count);
      for (const index of stratified(own, classNames.length, part.perClass, key(seed, PURPOSE.holdOut, i))) {
        held[part.first + index] = 1;
      }
    });
  } else {
    for (const index of permutation(key(seed, PURPOSE.holdOut), count).subarray(0, validation))
      held[index] = 1;
  }
  return split(held, validation);
}

/** Throws a UserError (usage) unless `validation` of `count` training images can be held out. */
export function checkHoldOut(title: string, count: number, validation: number): void {
  if (Number.isInteger(validation) && validation >= 0 && validation < count) return;
  throw new UserError(
    'usage',
    `cannot hold out ${validation} of the ${count} training images of ${title}`,
    `Choose a whole number from 0 to ${count - 1}.`,
  );
}

/** Indices of `perClass` images of each class, chosen at random. */
function stratified(labels: Uint8Array | Uint16Array, classes: number, perClass: number, k: Key): number[] {
  const open = new Array<number>(classes).fill(perClass);
  const chosen: number[] = [];
  for (const index of permutation(k, labels.length)) {
    const label = labels[index]!;
    if (open[label]! > 0) {
      open[label]!--;
      chosen.push(index);
    }
  }
  const short = open.findIndex((left) => left > 0);
  if (short >= 0) {
    throw new UserError(
      'data',
      `class ${short} has fewer than the ${perClass} images to hold out`,
      'The dataset is not the published one; check it with densenet data verify.',
    );
  }
  return chosen;
}

function split(held: Uint8Array, validation: number): HeldOut {
  const parts = { train: new Uint32Array(held.length - validation), validation: new Uint32Array(validation) };
  let trainAt = 0;
  let validationAt = 0;
  held.forEach((isHeld, index) => {
    if (isHeld) parts.validation[validationAt++] = index;
    else parts.train[trainAt++] = index;
  });
  return parts;
}
