import { describe, expect, test } from 'vitest';
import { loadExperiment } from '../../src/config/load.js';
import { buildDenseNet, type DenseNetOptions } from '../../src/networks/densenet.js';
import type { Network, NetworkInput } from '../../src/networks/network.js';
import { initialValues, parameters } from '../../src/networks/parameters.js';
import { checkWeights, weightsFile } from '../../src/networks/weights.js';
import { networkOf } from '../../src/training/model.js';
import { UserError } from '../../src/util/errors.js';
import { decodeSafetensors } from '../../src/util/safetensors.js';
import type { NamedTensors } from '../../src/util/tensor.js';

const network: Network = {
  title: 'a small DenseNet-BC',
  family: 'densenet',
  input: { channels: 3, height: 8, width: 8 },
  classes: 10,
  stages: [
    { kind: 'convolution', outputChannels: 4, kernel: 3, stride: 1, padding: 1, normalized: false },
    { kind: 'denseBlock', layers: 1, growthRate: 2, bottleneck: true, dropout: 0 },
    { kind: 'transition', outputChannels: 3, dropout: 0 },
    { kind: 'denseBlock', layers: 1, growthRate: 2, bottleneck: true, dropout: 0 },
    { kind: 'classifier', normalized: true },
  ],
};

describe('checkWeights', () => {
  test('gives the weights in the order of the network', () => {
    const weights = initialValues(network, 1);
    const shuffled = new Map([...weights].reverse());
    expect([...checkWeights(network, shuffled, 'x')]).toEqual([...weights]);
  });

  test('lists what is missing, unexpected and of the wrong shape', () => {
    const tensors = new Map(initialValues(network, 1));
    const classifier = tensors.get('classifier.weight')!;
    tensors.set('classifier.weight', { ...classifier, shape: [5, 10] });
    tensors.delete('features.conv0.weight');
    for (const name of ['a', 'b', 'c', 'd']) tensors.set(name, classifier);
    const check = () => checkWeights(network, tensors, 'other.safetensors');
    expect(check).toThrow(UserError);
    expect(check).toThrow(
      'other.safetensors: not the weights of a small DenseNet-BC: 1 missing (features.conv0.weight); ' +
        '4 unexpected (a, b, c, …); 1 of the wrong shape (classifier.weight is [5, 10], not [10, 5])',
    );
  });
});

/**
 * Names and shapes of a state dict of torchdistill's DenseNet for CIFAR, spelt out from its definition: torchvision's
 * dense layers and transitions after one 3×3 convolution.
 */
function torchdistillState(growthRate: number, layers: number, classes: number): [string, number[]][] {
  const norm = (name: string, channels: number): [string, number[]][] => [
    ...['weight', 'bias', 'running_mean', 'running_var'].map((kind): [string, number[]] => [
      `${name}.${kind}`,
      [channels],
    ]),
    [`${name}.num_batches_tracked`, []],
  ];
  let channels = 2 * growthRate;
  const state: [string, number[]][] = [['features.conv0.weight', [channels, 3, 3, 3]]];
  for (const block of [1, 2, 3]) {
    for (let layer = 1; layer <= layers; layer++) {
      const name = `features.denseblock${block}.denselayer${layer}`;
      state.push(...norm(`${name}.norm1`, channels));
      state.push([`${name}.conv1.weight`, [4 * growthRate, channels, 1, 1]]);
      state.push(...norm(`${name}.norm2`, 4 * growthRate));
      state.push([`${name}.conv2.weight`, [growthRate, 4 * growthRate, 3, 3]]);
      channels += growthRate;
    }
    if (block === 3) break;
    state.push(...norm(`features.transition${block}.norm`, channels));
    state.push([`features.transition${block}.conv.weight`, [Math.floor(channels / 2), channels, 1, 1]]);
    channels = Math.floor(channels / 2);
  }
  return [
    ...state,
    ...norm('features.norm5', channels),
    ['classifier.weight', [classes, channels]],
    ['classifier.bias', [classes]],
  ];
}

describe("torchdistill's published weights for CIFAR", () => {
  test.each([
    ['cifar10plus-bc-100-12', 10],
    ['cifar100plus-bc-100-12', 100],
  ])('fit the config %s', async (config, classes) => {
    const state = torchdistillState(12, 16, classes);
    expect(state).toHaveLength(596);
    const tensors = new Map(
      state.map(([name, shape]) => [
        name,
        { shape, data: new Float32Array(shape.reduce((product, size) => product * size, 1)) },
      ]),
    );
    const asked = networkOf(await loadExperiment(config));
    expect(() => checkWeights(asked, tensors, 'x')).not.toThrow();
    expect([...checkWeights(asked, tensors, 'x').keys()]).toEqual(parameters(asked).map(({ name }) => name));
    tensors.delete('features.norm5.weight');
    expect(() => checkWeights(asked, tensors, 'x')).toThrow('1 missing (features.norm5.weight)');
  });
});

describe('weights of another network', () => {
  const options = { depth: 121, growthRate: 32, bottleneck: true, compression: 0.5, dropout: 0 };
  const image = { channels: 3, height: 32, width: 32, classes: 1000 };
  const imagenet = (changes: Partial<DenseNetOptions> = {}, input: Partial<NetworkInput> = {}) =>
    buildDenseNet({ ...options, blocks: [6, 12, 24, 16], ...changes }, { ...image, ...input });
  const asked = imagenet();

  /** Weights of one value each, which take no time to make. */
  const weightsOf = (made: Network) =>
    new Map(parameters(made).map(({ name, shape }) => [name, { shape, data: new Float32Array(0) }] as const));
  const refusal = (made: NamedTensors, network = asked) => {
    try {
      checkWeights(network, made, 'x');
    } catch (error) {
      if (error instanceof UserError) return error;
      throw error;
    }
    throw new Error('not refused');
  };
  const residual = (names: readonly string[]) =>
    new Map(names.map((name) => [name, { shape: [1], data: new Float32Array(1) }]));

  test.each<[string, NamedTensors, string]>([
    [
      'more layers',
      weightsOf(imagenet({ depth: 169, blocks: [6, 12, 32, 32] })),
      'x: not the weights of DenseNet-BC (L=121, k=32): these are the weights of DenseNet-169: ' +
        "its dense block 3 has 32 layers, the config's 24; ",
    ],
    [
      'fewer blocks',
      weightsOf(imagenet({ depth: 88, blocks: [6, 12, 24] })),
      "these are the weights of a DenseNet: it has 3 dense blocks, the config's network 4; ",
    ],
    [
      'another growth rate',
      weightsOf(imagenet({ growthRate: 48 })),
      "these are the weights of a DenseNet: its growth rate is 48, the config's 32; ",
    ],
    [
      'no bottleneck',
      weightsOf(imagenet({ depth: 63, bottleneck: false })),
      "it has none, the config's network has bottlenecks; ",
    ],
    [
      'another stem',
      weightsOf(imagenet({ initialChannels: 32 })),
      "DenseNet-121: its first convolution is [32, 3, 7, 7], the config's [64, 3, 7, 7]; ",
    ],
    [
      'a residual network',
      residual(['conv1.weight', 'layer1.2.conv3.weight', 'layer1.0.conv3.weight', 'layer2.3.conv1.weight']),
      'these are the weights of a residual network, not of a DenseNet; ',
    ],
    [
      'ResNet-50',
      residual(['layer1.0.conv3.weight', ...[2, 3, 5, 2].map((n, i) => `layer${i + 1}.${n}.bn1.bias`)]),
      'these are the weights of ResNet-50, not of a DenseNet; ',
    ],
  ])('%s', (_, given, reason) => {
    const { message, remedy } = refusal(given);
    expect(message).toContain(reason);
    expect(message).toMatch(/\d+ (missing|of the wrong shape) \(/);
    expect(remedy).toContain('Use weights of the same network');
  });

  test('another number of classes, and how to train from them', () => {
    const { message, remedy } = refusal(weightsOf(imagenet({}, { classes: 10 })));
    expect(message).toBe(
      "x: not the weights of DenseNet-BC (L=121, k=32): they tell 10 classes apart, the config's network 1000; " +
        '2 of the wrong shape (classifier.weight is [10, 1024], not [1000, 1024], classifier.bias is [10], not [1000])',
    );
    expect(remedy).toBe(
      'Use weights for 1000 classes, or train from these: train --init FILE --init-skip classifier',
    );
  });

  test('names that mean nothing are listed, without a reason', () => {
    const { message } = refusal(residual(['conv1_conv/kernel']));
    expect(message).toMatch(/k=32\): 606 missing \(.*, …\); 1 unexpected \(conv1_conv\/kernel\)$/);
  });

  test('skipped parameters are neither missing, nor unexpected, nor of the wrong shape', () => {
    const others = new Map([...weightsOf(imagenet({}, { classes: 10 }))]);
    const skip = (name: string) => name.startsWith('classifier.');
    const weights = checkWeights(asked, others, 'x', skip);
    expect([...weights.keys()]).toEqual([...others.keys()].filter((name) => !skip(name)));
    others.delete('classifier.bias');
    expect(checkWeights(asked, others, 'x', skip).size).toBe(weights.size);
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
