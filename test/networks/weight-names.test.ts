import { describe, expect, test } from 'vitest';
import { canonicalName, withCanonicalNames } from '../../src/networks/weight-names.js';
import { UserError } from '../../src/util/errors.js';

const LAYER = 'features.denseblock2.denselayer12';

describe('canonicalName', () => {
  test.each([
    [`${LAYER}.norm.1.weight`, `${LAYER}.norm1.weight`],
    [`${LAYER}.norm.2.running_var`, `${LAYER}.norm2.running_var`],
    [`${LAYER}.conv.1.weight`, `${LAYER}.conv1.weight`],
    [`${LAYER}.conv.2.weight`, `${LAYER}.conv2.weight`],
    [`module.${LAYER}.norm.1.bias`, `${LAYER}.norm1.bias`],
    ['module.classifier.weight', 'classifier.weight'],
    ['state_dict.module.classifier.bias', 'classifier.bias'],
    ['model._orig_mod.fc.weight', 'fc.weight'],
    ['features.norm_final.running_mean', 'features.norm5.running_mean'],
    ['features.transition1.norm.weight', 'features.transition1.norm.weight'],
    ['features.transition1.conv.weight', 'features.transition1.conv.weight'],
    ['layer1.0.downsample.1.weight', 'layer1.0.downsample.1.weight'],
    ['models.classifier.weight', 'models.classifier.weight'],
  ])('%s → %s', (name, canonical) => expect(canonicalName(name)).toBe(canonical));
});

test('two tensors for one name are refused', () => {
  const one = { shape: [1], data: Float32Array.of(1) };
  const both = () =>
    withCanonicalNames(
      new Map([
        ['classifier.bias', one],
        ['module.classifier.bias', one],
      ]),
      'x.npz',
    );
  expect(both).toThrow(UserError);
  expect(both).toThrow("x.npz: 'classifier.bias' and 'module.classifier.bias' are both classifier.bias");
});
