import { beforeAll, describe, expect, test } from 'vitest';
import { randomBatch, randomWeights } from '../../src/engines/noise.js';
import { onnxFile } from '../../src/export/onnx/model.js';
import type { Network } from '../../src/networks/network.js';
import { PUBLISHED_NETWORKS, publishedNetwork } from '../fixtures/pytorch/published.js';
import { relativeError } from '../reference/compare.js';
import { type Example, exampleNetwork } from '../reference/examples.js';
import { ReferenceModel } from '../reference/model.js';
import { RESIDUAL_KINDS, type ResidualExample, residualNetwork } from '../reference/residual-examples.js';
import { loadOnnxRuntime, runOnnx } from './onnxruntime.js';

/** In norm: single precision against double. */
const TOLERANCE = 1e-5;

const base: Example = {
  ...{ channels: 3, height: 12, width: 12, classes: 7, stem: 'small', stemChannels: 6 },
  ...{ blocks: [2, 3], growthRate: 4, bottleneck: false, compression: 1, dropout: 0 },
};

const residual: ResidualExample = {
  ...{ channels: 3, height: 13, width: 10, classes: 7, stem: 'small', stemChannels: 4 },
  ...{ units: [2, 2, 1], innerChannels: 4, expansion: 1, block: 'basic' },
  ...{ activation: 'pre', shortcut: 'padding', dropout: 0, survival: 1 },
};

const EXAMPLES: readonly [string, Example][] = [
  ['DenseNet', base],
  ['DenseNet-B', { ...base, bottleneck: true }],
  ['DenseNet-C', { ...base, compression: 0.5 }],
  ['DenseNet-BC', { ...base, bottleneck: true, compression: 0.5 }],
  ['dropout, which is for training only', { ...base, dropout: 0.5 }],
  ['one channel, an odd size that poolings cut', { ...base, channels: 1, height: 9, width: 15 }],
  ['the ImageNet stem', { ...base, stem: 'imagenet', height: 37, width: 30, bottleneck: true }],
  ['one block', { ...base, blocks: [1] }],
  ['four blocks', { ...base, blocks: [1, 2, 1, 3], height: 16, width: 16 }],
];

const NETWORKS: readonly [string, Network][] = [
  ...EXAMPLES.map(([name, example]): [string, Network] => [name, exampleNetwork(example)]),
  ...Object.entries(RESIDUAL_KINDS).map(([kind, changes]): [string, Network] => {
    return [`ResNet: ${kind}`, residualNetwork({ ...residual, ...changes })];
  }),
  ['ResNet: stochastic depth', residualNetwork({ ...residual, survival: 0.7, dropout: 0.3 })],
  [
    'ResNet: stochastic depth after activation',
    residualNetwork({ ...residual, activation: 'post', survival: 0.7 }),
  ],
];

beforeAll(loadOnnxRuntime);

describe('ONNX Runtime computes the logits of the definition', () => {
  test.each(NETWORKS)('%s', async (_, network) => {
    const weights = randomWeights(network, 1);
    const file = onnxFile(network, weights, {});
    const { channels, height, width } = network.input;
    for (const count of [1, 3]) {
      const { images } = randomBatch(network, count, count);
      const expected = new ReferenceModel(network, weights).predict(images);
      const logits = await runOnnx(file, images, [channels, height, width]);
      expect(relativeError(logits, expected)).toBeLessThan(TOLERANCE);
    }
  });

  test.each(PUBLISHED_NETWORKS)('%s, as PyTorch does', async (name) => {
    const { network, weights, images, logits } = publishedNetwork(name);
    const found = await runOnnx(onnxFile(network, weights, {}), images, [3, 224, 224]);
    expect(relativeError(found, logits)).toBeLessThan(TOLERANCE);
  });
});

test('the file says what goes in and what comes out', async () => {
  const network = exampleNetwork(base);
  const file = onnxFile(network, randomWeights(network, 1), { mean: '[1, 2, 3]', note: 'für µ' });
  const { InferenceSession } = await loadOnnxRuntime();
  const session = await InferenceSession.create(file);
  expect(session.inputMetadata).toMatchObject([
    { name: 'images', type: 'float32', shape: ['batch', 3, 12, 12] },
  ]);
  expect(session.outputMetadata).toMatchObject([{ name: 'logits', type: 'float32', shape: ['batch', 7] }]);
  const bytes = Buffer.from(file);
  for (const text of ['mean', '[1, 2, 3]', 'note', 'für µ', 'features.norm5.running_var']) {
    expect(bytes.includes(text), text).toBe(true);
  }
});
