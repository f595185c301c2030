import { expect, test } from 'vitest';
import { buildDenseNet } from '../../src/networks/densenet.js';
import { checkPatterns, matcher } from '../../src/networks/patterns.js';
import { UserError } from '../../src/util/errors.js';

const network = buildDenseNet(
  { depth: 10, growthRate: 4, bottleneck: true, compression: 0.5, dropout: 0 },
  { channels: 3, height: 32, width: 32, classes: 10 },
);

test.each([
  ['classifier', 'classifier.weight', true],
  ['classifier', 'classifier.bias', true],
  ['classifier.bias', 'classifier.weight', false],
  ['class', 'classifier.weight', false],
  ['features.denseblock1', 'features.denseblock1.denselayer1.conv1.weight', true],
  ['features.denseblock1', 'features.denseblock12.denselayer1.conv1.weight', false],
  ['*.norm1.*', 'features.denseblock1.denselayer1.norm1.weight', true],
  ['*norm1', 'features.denseblock1.denselayer1.norm1.weight', false],
  ['classifier*', 'classifier.weight', true],
  ['features.norm5', 'features-norm5.weight', false],
])('%s means %s: %s', (pattern, name, expected) => expect(matcher([pattern])(name)).toBe(expected));

test('one of several patterns is enough', () => {
  const matches = matcher(['features.conv0', 'classifier']);
  expect(['features.conv0.weight', 'classifier.bias', 'features.norm5.bias'].map(matches)).toEqual([
    true,
    true,
    false,
  ]);
  expect(matcher([])('classifier.bias')).toBe(false);
});

test('a pattern that means no parameter is refused with the nearest name', () => {
  expect(() => checkPatterns(network, ['classifier', 'features.denseblock3'])).not.toThrow();
  expect(() => checkPatterns(network, ['clasifier'])).toThrow(UserError);
  expect(() => checkPatterns(network, ['classifier', 'fc'])).toThrow(
    expect.objectContaining({
      message: "DenseNet-BC (L=10, k=4) has no parameter 'fc'",
      remedy: expect.stringContaining('Valid: features, features.conv0, features.denseblock1'),
    }),
  );
  expect(() => checkPatterns(network, ['clasifier'])).toThrow(
    expect.objectContaining({ remedy: expect.stringContaining("Did you mean 'classifier'?") }),
  );
});
