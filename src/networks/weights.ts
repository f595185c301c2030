import { UserError } from '../util/errors.js';
import { encodeSafetensors, type Int64Tensor } from '../util/safetensors.js';
import { shorten } from '../util/shorten.js';
import type { NamedTensors, Tensor } from '../util/tensor.js';
import { anatomyOf, difference } from './anatomy.js';
import { outerNames } from './names.js';
import type { Network } from './network.js';
import { parameters } from './parameters.js';
import { withCanonicalNames } from './weight-names.js';

/** PyTorch's count of the batches that a batch normalisation has seen; nothing here needs it. */
const BATCH_COUNT = '.num_batches_tracked';

/** How many names an error message spells out. */
const NAMED_IN_MESSAGE = 3;

/**
 * The network's weights among `tensors`, read or not yet read, in the order of `parameters(network)`. Names may be
 * those of torchvision, timm and their wrappers. Batch counts are ignored, and so is every parameter that `skip` says.
 * Throws a UserError (data) that begins with `where`, the file's name, says what network the weights are of, and
 * lists what is missing, unexpected or of the wrong shape.
 */
export function checkWeights<T extends Pick<Tensor, 'shape'>>(
  network: Network,
  tensors: ReadonlyMap<string, T>,
  where: string,
  skip: (name: string) => boolean = () => false,
): Map<string, T> {
  const given = withCanonicalNames(tensors, where);
  const wanted = new Map(parameters(network).map(({ name, shape }) => [name, shape]));
  const weights = new Map<string, T>();
  const missing: string[] = [];
  const misshapen: string[] = [];
  for (const [name, shape] of wanted) {
    if (skip(name)) continue;
    const tensor = given.get(name);
    if (tensor === undefined) missing.push(name);
    else if (tensor.shape.join() !== shape.join()) misshapen.push(name);
    else weights.set(name, tensor);
  }
  const unexpected = [...given.keys()].filter(
    (name) => !wanted.has(name) && !skip(name) && !name.endsWith(BATCH_COUNT),
  );
  if (missing.length + misshapen.length + unexpected.length === 0) return weights;

  const shapesOf = (name: string) => {
    const [theirs, ours] = [given.get(name)!.shape, wanted.get(name)!];
    return `${name} is [${theirs.join(', ')}], not [${ours.join(', ')}]`;
  };
  const found = anatomyOf(new Map([...given].map(([name, { shape }]) => [name, shape])));
  const asked = anatomyOf(wanted);
  const reason = found && asked && difference(found, asked);
  const faults = [
    ...(reason ? [reason] : []),
    ...summary('missing', missing),
    ...summary('unexpected', unexpected),
    ...summary('of the wrong shape', misshapen.map(shapesOf)),
  ];
  const { classifier } = outerNames(network);
  const onlyClassifier =
    missing.length + unexpected.length === 0 && misshapen.every((name) => name.startsWith(`${classifier}.`));
  throw new UserError(
    'data',
    `${where}: not the weights of ${network.title}: ${faults.join('; ')}`,
    onlyClassifier
      ? `Use weights for ${network.classes} classes, or train from these: train --init FILE --init-skip ${classifier}`
      : 'Use weights of the same network (depth, growth rate, compression, bottleneck, classes), with the names and layouts of torchvision.',
  );
}

function summary(what: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const more = items.length > NAMED_IN_MESSAGE ? ', …' : '';
  const named = items.slice(0, NAMED_IN_MESSAGE).map((item) => shorten(item));
  return [`${items.length} ${what} (${named.join(', ')}${more})`];
}

/**
 * A safetensors file of the weights with every entry of PyTorch's state dict in torchvision's order, so that
 * a strict `load_state_dict` takes it. `batches` is the number of optimiser steps that made the weights.
 */
export function weightsFile(
  network: Network,
  weights: NamedTensors,
  batches = 0,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const tensors = new Map<string, Tensor | Int64Tensor>();
  for (const { name, role } of parameters(network)) {
    tensors.set(name, weights.get(name)!);
    if (role === 'runningVariance') {
      const count: Int64Tensor = { shape: [], data: BigInt64Array.of(BigInt(batches)) };
      tensors.set(name.replace(/\.running_var$/, BATCH_COUNT), count);
    }
  }
  return encodeSafetensors(tensors, { ...metadata, format: 'pt' });
}
