import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { activationBytes, multiplyAdds, parameterCount, stageCounts } from '../../src/networks/counts.js';
import { buildDenseNet, type DenseNetOptions } from '../../src/networks/densenet.js';
import { elementCount, isTrainable, parameters } from '../../src/networks/parameters.js';

const CIFAR10 = { channels: 3, height: 32, width: 32, classes: 10 };
const CIFAR100 = { ...CIFAR10, classes: 100 };
const IMAGENET = { channels: 3, height: 224, width: 224, classes: 1000 };

const basic = (depth: number, growthRate: number): DenseNetOptions => ({
  depth,
  growthRate,
  bottleneck: false,
  compression: 1,
  dropout: 0,
});
const bc = (depth: number, growthRate: number, blocks?: number[]): DenseNetOptions => ({
  depth,
  growthRate,
  bottleneck: true,
  compression: 0.5,
  dropout: 0,
  blocks,
});

describe('the networks of Table 2', () => {
  it.each([
    [basic(40, 12), 1_019_722, 1_060_132, 264_812_928],
    [basic(100, 12), 6_979_642, 7_084_852, 1_769_516_448],
    [basic(100, 24), 27_249_082, 27_457_972, 6_889_347_744],
    [bc(100, 12), 769_162, 800_032, 287_929_692],
    [bc(250, 24), 15_324_406, 15_480_556, 5_418_785_724],
    [bc(190, 40), 25_624_430, 25_821_620, 9_301_945_740],
  ])('%o', (options, ten, hundred, macs) => {
    expect(parameterCount(buildDenseNet(options, CIFAR10))).toBe(ten);
    expect(parameterCount(buildDenseNet(options, CIFAR100))).toBe(hundred);
    expect(multiplyAdds(buildDenseNet(options, CIFAR10))).toBe(macs);
  });

  it('counts one input channel less where the images are grey (Fashion-MNIST, published as 768K)', () => {
    const network = buildDenseNet(bc(100, 12), { channels: 1, height: 28, width: 28, classes: 10 });
    expect(parameterCount(network)).toBe(768_730);
  });
});

describe('the ImageNet networks', () => {
  it.each([
    [121, 32, [6, 12, 24, 16], 7_978_856, 2.834],
    [169, 32, [6, 12, 32, 32], 14_149_480, 3.36],
    [201, 32, [6, 12, 48, 32], 20_013_928, 4.291],
    [264, 32, [6, 12, 64, 48], 33_337_704, 5.752],
    [161, 48, [6, 12, 36, 24], 28_681_000, 7.728],
    [264, 48, [6, 12, 64, 48], 72_686_632, 12.851],
  ])('DenseNet-%i (k=%i)', (depth, growthRate, blocks, count, giga) => {
    const network = buildDenseNet(bc(depth, growthRate, blocks), IMAGENET);
    expect(parameterCount(network)).toBe(count);
    // torchvision prints three digits of 121, 161, 169 and 201.
    expect(Number((multiplyAdds(network) / 1e9).toFixed(3))).toBe(giga);
  });
});

describe('multiplyAdds', () => {
  it('is the sum over all weights of their uses: pixels of the output, before pooling', () => {
    const options = fc.record({
      depth: fc.integer({ min: 1, max: 5 }).map((n) => 6 * n + 4),
      growthRate: fc.integer({ min: 1, max: 20 }),
      bottleneck: fc.boolean(),
      compression: fc.constantFrom(1, 0.5, 0.3),
      dropout: fc.constant(0),
    });
    fc.assert(
      fc.property(options, (o) => {
        const network = buildDenseNet(o, CIFAR10);
        const pixels = { conv0: 1024, 1: 1024, 2: 256, 3: 64 };
        const expected = parameters(network)
          .filter((p) => p.role === 'convolution' || p.role === 'linear')
          .reduce((sum, p) => {
            const block = /(?:denseblock|transition)(\d)/.exec(p.name)?.[1] as '1' | '2' | '3' | undefined;
            const uses = p.role === 'linear' ? 1 : pixels[block ?? 'conv0'];
            return sum + uses * elementCount(p.shape);
          }, 0);
        expect(multiplyAdds(network)).toBe(expected);
      }),
    );
  });
});

describe('activationBytes', () => {
  it('counts a small network as by hand', () => {
    // One layer per block; 16 first channels; θ = 1.
    const network = buildDenseNet(basic(7, 2), { channels: 1, height: 8, width: 8, classes: 10 });
    const image = 64;
    const conv0 = 16 * 64;
    const block1 = 2 * 64;
    const transition1 = 18 * 64 + 18 * 16;
    const block2 = 2 * 16;
    const transition2 = 20 * 16 + 20 * 4;
    const block3 = 2 * 4;
    const classifier = 22 + 10;
    const values = image + conv0 + block1 + transition1 + block2 + transition2 + block3 + classifier;
    expect(activationBytes(network, 5)).toBe(4 * 5 * values);
  });

  it('counts the inner maps of bottleneck layers', () => {
    const options = { ...basic(10, 2), bottleneck: true };
    const [, block] = stageCounts(buildDenseNet(options, CIFAR10));
    expect(block?.activations).toBe(1024 * (2 + 8));
  });
});

describe('parameterCount', () => {
  it('leaves running statistics out', () => {
    const network = buildDenseNet(basic(40, 12), CIFAR10);
    const all = parameters(network).reduce((sum, p) => sum + elementCount(p.shape), 0);
    const running = parameters(network).filter((p) => !isTrainable(p));
    expect(all - parameterCount(network)).toBe(running.reduce((sum, p) => sum + elementCount(p.shape), 0));
    expect(running.length).toBeGreaterThan(0);
  });
});
