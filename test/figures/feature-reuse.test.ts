import { describe, expect, it } from 'vitest';
import { featureReuse } from '../../src/figures/feature-reuse.js';
import { figure5 } from '../../src/figures/figure5.js';
import { buildDenseNet, type DenseNetOptions } from '../../src/networks/densenet.js';
import { elementCount, initialValues, parameters } from '../../src/networks/parameters.js';
import type { Tensor } from '../../src/util/tensor.js';

const IMAGE = { channels: 3, height: 8, width: 8, classes: 5 };
const PLAIN: DenseNetOptions = { depth: 10, growthRate: 3, bottleneck: false, compression: 1, dropout: 0 };

/**
 * Weights whose size is 1 on a block's input, 1+s on the maps of its layer s, with signs that cancel in a plain mean.
 */
function steppedWeights(options: DenseNetOptions) {
  const network = buildDenseNet(options, IMAGE);
  const weights = new Map<string, Tensor>();
  const widths = [16, 16 + 2 * 3, 16 + 4 * 3];
  for (const { name, shape } of parameters(network)) {
    const data = new Float32Array(elementCount(shape));
    const block = /block(\d)|transition(\d)/.exec(name);
    const width = widths[Number(block?.[1] ?? block?.[2] ?? 3) - 1]!;
    const [, input = 1, ...kernel] = shape;
    const area = kernel.reduce((product, n) => product * n, 1);
    for (let i = 0; i < data.length; i++) {
      const channel = Math.floor(i / area) % input;
      const source = channel < width ? 0 : 1 + Math.floor((channel - width) / options.growthRate);
      data[i] = (i % 2 === 0 ? 1 : -1) * (1 + source);
    }
    weights.set(name, { shape, data });
  }
  return { network, weights };
}

describe('featureReuse', () => {
  it('gives the mean size of the weights on every source, for layers, transitions and the classifier', () => {
    const { network, weights } = steppedWeights(PLAIN);
    const blocks = featureReuse(network, weights);
    expect(blocks.map(({ targets }) => targets)).toEqual([
      ['1', '2', 'transition'],
      ['1', '2', 'transition'],
      ['1', '2', 'classifier'],
    ]);
    expect(blocks.map(({ sources }) => sources.map(({ channels }) => channels))).toEqual([
      [16, 3, 3],
      [22, 3, 3],
      [28, 3, 3],
    ]);
    for (const { mean } of blocks) {
      expect(mean).toEqual([
        [1, 1, 1],
        [undefined, 2, 2],
        [undefined, undefined, 3],
      ]);
    }
  });

  it('reads the 1×1 convolution of bottleneck layers', () => {
    const network = buildDenseNet({ ...PLAIN, bottleneck: true, compression: 0.5, depth: 16 }, IMAGE);
    const weights = initialValues(network, 1);
    const [block] = featureReuse(network, weights);
    const { data } = weights.get('features.denseblock1.denselayer1.conv1.weight')!;
    const mean = data.reduce((sum, w) => sum + Math.abs(w), 0) / data.length;
    expect(block!.mean[0]![0]).toBeCloseTo(mean, 12);
    expect(block!.mean[1]![0]).toBeUndefined();
  });
});

describe('figure 5', () => {
  it('divides each column by its largest value, and keeps the raw means', () => {
    const { network, weights } = steppedWeights(PLAIN);
    const { points, caption } = figure5('figure-5', 'a network', featureReuse(network, weights));
    const column = points.filter(({ block, target }) => block === 1 && target === 'transition');
    expect(column.map(({ mean_absolute_weight }) => mean_absolute_weight)).toEqual([1, 2, 3]);
    expect(column.map(({ relative }) => relative)).toEqual([1 / 3, 2 / 3, 1]);
    expect(column.map(({ source }) => source)).toEqual(['input', '1', '2']);
    expect(caption).toContain('Each column is divided by its largest value');
  });
});
