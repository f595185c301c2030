import type { Network } from '../networks/network.js';
import { elementCount, parameters } from '../networks/parameters.js';
import { key, normal, uniform } from '../util/random.js';
import type { NamedTensors, Tensor } from '../util/tensor.js';
import type { Batch } from './engine.js';

/** Random weights and images, for checks and measurements that need no data. */

/** Weights that hide nothing: no γ is 1, no β is 0, no running statistic is at its start. */
export function randomWeights(network: Network, seed: number): NamedTensors {
  return new Map(
    parameters(network).map(({ name, shape, role }, index): [string, Tensor] => {
      const k = key(seed, index);
      const data = Float32Array.from({ length: elementCount(shape) }, (_, i) => {
        switch (role) {
          case 'convolution':
            return Math.sqrt(2 / elementCount(shape.slice(1))) * normal(k, i);
          case 'linear':
            return normal(k, i) / Math.sqrt(shape[1]!);
          case 'gamma':
          case 'runningVariance':
            return 0.5 + uniform(k, i);
          case 'beta':
          case 'bias':
          case 'runningMean':
            return 0.3 * normal(k, i);
        }
      });
      return [name, { shape, data }];
    }),
  );
}

/** Normally distributed images and uniform labels. */
export function randomBatch(network: Network, size: number, seed: number): Batch {
  const { channels, height, width } = network.input;
  const images = key(seed, 1);
  const labels = key(seed, 2);
  return {
    images: Float32Array.from({ length: size * channels * height * width }, (_, i) => normal(images, i)),
    labels: Int32Array.from({ length: size }, (_, i) => Math.floor(uniform(labels, i) * network.classes)),
  };
}
