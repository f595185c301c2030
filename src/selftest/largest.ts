import type { Engine } from '../engines/engine.js';
import { isFullGpu } from '../engines/full-memory.js';
import { randomBatch } from '../engines/noise.js';
import { multiplyAdds } from '../networks/counts.js';
import { buildDenseNet } from '../networks/densenet.js';
import type { Network } from '../networks/network.js';
import { initialValues } from '../networks/parameters.js';
import { initialState } from '../training/checkpoint.js';
import { leastMemory } from '../training/memory.js';
import { formatBytes } from '../util/format.js';
import { withFreshModel } from './against-definition.js';
import { check, type Finding, failure } from './check.js';

/** What engines take of memory, in units of the least that training takes: up to 10 were measured with TensorFlow. */
const MEMORY_FACTOR = 12;

/** What a CPU computes in some ten seconds, floating-point operations; a GPU has no such limit here. */
const CPU_OPERATIONS = 5e11;

/** A network that was not trained yet knows nothing: its loss is about that of guessing, ln(classes). */
const ALLOWED_LOSS = 1;

const bc = { bottleneck: true, compression: 0.5, dropout: 0 };
const cifar = { channels: 3, height: 32, width: 32, classes: 10 };
const imageNet = { channels: 3, height: 224, width: 224, classes: 1000 };

const NETWORKS: readonly Network[] = [
  buildDenseNet({ ...bc, depth: 264, growthRate: 32, blocks: [6, 12, 64, 48] }, imageNet),
  buildDenseNet({ ...bc, depth: 190, growthRate: 40 }, cifar),
  buildDenseNet({ ...bc, depth: 100, growthRate: 12 }, cifar),
  buildDenseNet({ ...bc, depth: 40, growthRate: 12 }, cifar),
];
const BATCHES = [256, 128, 64, 32, 16, 8, 4, 2];

interface Choice {
  readonly network: Network;
  readonly images: number;
  /** Bytes that it is thought to take. */
  readonly memory: number;
}

/** The networks that are thought to fit, with how many images, those that take most memory first. */
export function thatFit(device: Engine['device'], memory: number): Choice[] {
  const choices = NETWORKS.flatMap((network) =>
    BATCHES.map((images) => ({
      network,
      images,
      memory: MEMORY_FACTOR * leastMemory(network, images, false),
    })),
  );
  const fitting = choices.filter(({ network, images, memory: needed }) => {
    const operations = 6 * multiplyAdds(network) * images;
    return needed <= memory && (device === 'gpu' || operations <= CPU_OPERATIONS);
  });
  return fitting.sort((a, b) => b.memory - a.memory);
}

/** One training step of the largest network that fits into `memory` bytes. */
export async function largestCheck(engine: Engine, memory: number): Promise<Finding[]> {
  for (const { network, images } of thatFit(engine.device, memory)) {
    const what = `one step of ${network.title}, ${images} images: loss less ln(${network.classes})`;
    try {
      const loss = await withFreshModel(engine, network, 1, async (model) => {
        await model.importState(initialState(network, initialValues(network, 1)));
        return (await model.train(randomBatch(network, images, 1), { learningRate: 0.1, step: 0 })).loss;
      });
      const note = `chosen for ${formatBytes(memory)} of free memory`;
      return [check(what, Math.abs(loss - Math.log(network.classes)), ALLOWED_LOSS, note)];
    } catch (error) {
      if (!isFullGpu(error)) return [failure(what, error)];
    }
  }
  return [failure('largest network that fits', `none in ${formatBytes(memory)} of free memory`)];
}
