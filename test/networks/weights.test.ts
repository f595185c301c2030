import { describe, expect, test } from 'vitest';
import type { Network } from '../../src/networks/network.js';
import { initialValues, parameters } from '../../src/networks/parameters.js';
import { checkWeights, weightsFile } from '../../src/networks/weights.js';
import { UserError } from '../../src/util/errors.js';
import { decodeSafetensors } from '../../src/util/safetensors.js';

const network: Network = {
  title: 'a small DenseNet-BC',
  input: { channels: 3, height: 8, width: 8 },
  classes: 10,
  stages: [
    { kind: 'convolution', outputChannels: 4, kernel: 3, stride: 1, padding: 1, normalized: false },
    { kind: 'denseBlock', layers: 1, growthRate: 2, bottleneck: true, dropout: 0 },
    { kind: 'transition', outputChannels: 3, dropout: 0 },
    { kind: 'denseBlock', layers: 1, growthRate: 2, bottleneck: true, dropout: 0 },
    { kind: 'classifier' },
  ],
};

describe('checkWeights', () => {
  test('gives the weights in the order of the network', () => {
    const weights = initialValues(network, 1);
    const shuffled = new Map([...weights].reverse());
    expect([...checkWeights(network, shuffled, 'x')]).toEqual([...weights]);
  });

  test('lists what is missing, unknown and of the wrong shape', () => {
    const tensors = new Map(initialValues(network, 1));
    const classifier = tensors.get('classifier.weight')!;
    tensors.set('classifier.weight', { ...classifier, shape: [5, 10] });
    tensors.delete('features.conv0.weight');
    for (const name of ['a', 'b', 'c', 'd']) tensors.set(name, classifier);
    const check = () => checkWeights(network, tensors, 'other.safetensors');
    expect(check).toThrow(UserError);
    expect(check).toThrow(
      'other.safetensors: not the weights of a small DenseNet-BC: 1 missing (features.conv0.weight); ' +
        '4 unknown (a, b, c, …); 1 of the wrong shape (classifier.weight is [5, 10], not [10, 5])',
    );
  });
});

describe('weightsFile', () => {
  test('has the entries of a PyTorch state dict and reads back', () => {
    const weights = initialValues(network, 1);
    const bytes = weightsFile(network, weights, 20);
    const { tensors, metadata } = decodeSafetensors(bytes, 'x');
    expect(metadata).toEqual({ format: 'pt' });
    expect([...tensors.keys()].slice(0, 7)).toEqual([
      'features.conv0.weight',
      'features.denseblock1.denselayer1.norm1.weight',
      'features.denseblock1.denselayer1.norm1.bias',
      'features.denseblock1.denselayer1.norm1.running_mean',
      'features.denseblock1.denselayer1.norm1.running_var',
      'features.denseblock1.denselayer1.norm1.num_batches_tracked',
      'features.denseblock1.denselayer1.conv1.weight',
    ]);
    expect(tensors.get('features.norm5.num_batches_tracked')).toEqual({
      shape: [],
      data: Float32Array.of(20),
    });
    const norms = parameters(network).filter(({ role }) => role === 'runningVariance').length;
    expect(tensors.size).toBe(weights.size + norms);
    expect([...checkWeights(network, tensors, 'x')]).toEqual([...weights]);
  });
});
