import { UserError } from '../util/errors.js';
import { encodeSafetensors, type Int64Tensor } from '../util/safetensors.js';
import type { NamedTensors, Tensor } from '../util/tensor.js';
import type { Network } from './network.js';
import { parameters } from './parameters.js';

/** PyTorch's count of the batches that a batch normalisation has seen; nothing here needs it. */
const BATCH_COUNT = '.num_batches_tracked';

/** How many names an error message spells out. */
const NAMED_IN_MESSAGE = 3;

/**
 * The network's weights among `tensors`, in the order of `parameters(network)`; batch counts are ignored.
 * Throws a UserError (data) that begins with `where`, the file's name, and lists what is missing, unknown or of the wrong shape.
 */
export function checkWeights(network: Network, tensors: NamedTensors, where: string): NamedTensors {
  const weights = new Map<string, Tensor>();
  const missing: string[] = [];
  const misshapen: string[] = [];
  const known = new Set<string>();
  for (const { name, shape } of parameters(network)) {
    known.add(name);
    const tensor = tensors.get(name);
    if (tensor === undefined) missing.push(name);
    else if (tensor.shape.join() !== shape.join()) {
      misshapen.push(`${name} is [${tensor.shape.join(', ')}], not [${shape.join(', ')}]`);
    } else weights.set(name, tensor);
  }
  const unknown = [...tensors.keys()].filter((name) => !known.has(name) && !name.endsWith(BATCH_COUNT));

  const faults = [
    ...summary('missing', missing),
    ...summary('unknown', unknown),
    ...summary('of the wrong shape', misshapen),
  ];
  if (faults.length > 0) {
    throw new UserError(
      'data',
      `${where}: not the weights of ${network.title}: ${faults.join('; ')}`,
      'Use weights of the same network (depth, growth rate, compression, bottleneck, classes), with the names and layouts of torchvision.',
    );
  }
  return weights;
}

function summary(what: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const more = items.length > NAMED_IN_MESSAGE ? ', …' : '';
  return [`${items.length} ${what} (${items.slice(0, NAMED_IN_MESSAGE).join(', ')}${more})`];
}

/**
 * A safetensors file of the weights with every entry of PyTorch's state dict in torchvision's order, so that
 * a strict `load_state_dict` takes it. `batches` is the number of optimiser steps behind the weights.
 */
export function weightsFile(network: Network, weights: NamedTensors, batches = 0): Uint8Array {
  const tensors = new Map<string, Tensor | Int64Tensor>();
  for (const { name, role } of parameters(network)) {
    tensors.set(name, weights.get(name)!);
    if (role === 'runningVariance') {
      const count: Int64Tensor = { shape: [], data: BigInt64Array.of(BigInt(batches)) };
      tensors.set(name.replace(/\.running_var$/, BATCH_COUNT), count);
    }
  }
  return encodeSafetensors(tensors, { format: 'pt' });
}
