import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { activationBytes, multiplyAdds, parameterCount } from '../../src/networks/counts.js';
import { elementCount, parameters } from '../../src/networks/parameters.js';
import { residualUnits, survivalProbabilities, survivors } from '../../src/networks/residual.js';
import { buildResNet, type ResNetOptions } from '../../src/networks/resnet.js';
import { stageShapes } from '../../src/networks/stages.js';
import { UserError } from '../../src/util/errors.js';

const CIFAR10 = { channels: 3, height: 32, width: 32, classes: 10 };
const CIFAR100 = { ...CIFAR10, classes: 100 };
const IMAGENET = { channels: 3, height: 224, width: 224, classes: 1000 };

const options = (changes: Partial<ResNetOptions>): ResNetOptions => ({
  depth: 110,
  activation: 'post',
  bottleneck: false,
  width: 1,
  dropout: 0,
  survival: 1,
  ...changes,
});
const pre = { activation: 'pre' } as const;

/** Counts of test/fixtures/pytorch/count_parameters.py. */
describe('the ResNets of Table 2', () => {
  it.each([
    ['ResNet (L=110)', {}, 1_727_962, 1_733_812],
    ['ResNet with Stochastic Depth (L=110)', { survival: 0.5 }, 1_727_962, 1_733_812],
    // Table 2 prints 10.2M; the network has nearly twice that, as He et al. 2016a say (19.4M).
    ['ResNet with Stochastic Depth (L=1202)', { depth: 1202, survival: 0.5 }, 19_421_274, 19_427_124],
    ['Wide ResNet (L=16, k=8)', { ...pre, depth: 16, width: 8 }, 10_961_370, 11_007_540],
    ['Wide ResNet (L=28, k=10)', { ...pre, depth: 28, width: 10 }, 36_479_194, 36_536_884],
    [
      'Wide ResNet with Dropout (L=16, k=4)',
      { ...pre, depth: 16, width: 4, dropout: 0.4 },
      2_748_890,
      2_772_020,
    ],
    ['ResNet (pre-activation, L=110)', pre, 1_727_962, 1_733_812],
    ['ResNet (pre-activation, L=164)', { ...pre, depth: 164, bottleneck: true }, 1_703_258, 1_726_388],
    ['ResNet (pre-activation, L=1001)', { ...pre, depth: 1001, bottleneck: true }, 10_327_706, 10_350_836],
  ])('%s', (title, changes, ten, hundred) => {
    const network = buildResNet(options(changes), CIFAR10);
    expect(network.title).toBe(title);
    expect(parameterCount(network)).toBe(ten);
    expect(parameterCount(buildResNet(options(changes), CIFAR100))).toBe(hundred);
  });
});

describe('the ResNets for ImageNet', () => {
  it.each([
    [34, false, [3, 4, 6, 3], 21_797_672, 3_663_761_408],
    [50, true, [3, 4, 6, 3], 25_557_032, 4_089_184_256],
    [101, true, [3, 4, 23, 3], 44_549_160, 7_801_405_440],
    [152, true, [3, 8, 36, 3], 60_192_808, 11_513_626_624],
  ])('ResNet-%i counts as torchvision says', (depth, bottleneck, blocks, count, macs) => {
    const network = buildResNet(options({ depth, bottleneck, blocks }), IMAGENET);
    expect(parameterCount(network)).toBe(count);
    expect(multiplyAdds(network)).toBe(macs);
  });

  it('has the names and shapes of torchvision', () => {
    const network = buildResNet(options({ depth: 50, bottleneck: true, blocks: [3, 4, 6, 3] }), IMAGENET);
    const all = parameters(network);
    const shapes = new Map(all.map(({ name, shape }) => [name, shape.join('×')]));
    expect(all).toHaveLength(267);
    expect(all.slice(0, 6).map(({ name }) => name)).toEqual([
      'conv1.weight',
      'bn1.weight',
      'bn1.bias',
      'bn1.running_mean',
      'bn1.running_var',
      'layer1.0.conv1.weight',
    ]);
    const unit = all.filter(({ name }) => /^layer2\.0\..*weight$/.test(name));
    expect(unit.map(({ name, shape }) => `${name} ${shape.join('×')}`)).toEqual([
      'layer2.0.conv1.weight 128×256×1×1',
      'layer2.0.bn1.weight 128',
      'layer2.0.conv2.weight 128×128×3×3',
      'layer2.0.bn2.weight 128',
      'layer2.0.conv3.weight 512×128×1×1',
      'layer2.0.bn3.weight 512',
      'layer2.0.downsample.0.weight 512×256×1×1',
      'layer2.0.downsample.1.weight 512',
    ]);
    expect(shapes.get('conv1.weight')).toBe('64×3×7×7');
    expect(shapes.get('fc.weight')).toBe('1000×2048');
    expect(shapes.has('layer2.1.downsample.0.weight')).toBe(false);
  });
});

describe('buildResNet', () => {
  const shapes = (changes: Partial<ResNetOptions>, input = CIFAR10) =>
    stageShapes(buildResNet(options(changes), input)).map(
      ({ stage, output }) => `${stage.kind} ${output.channels}×${output.height}`,
    );

  it('lays the networks for CIFAR out in three stages', () => {
    expect(shapes({})).toEqual([
      'convolution 16×32',
      'residualStage 16×32',
      'residualStage 32×16',
      'residualStage 64×8',
      'classifier 10×1',
    ]);
    expect(shapes({ ...pre, depth: 164, bottleneck: true })[3]).toBe('residualStage 256×8');
    expect(shapes({ ...pre, depth: 28, width: 10 })[3]).toBe('residualStage 640×8');
  });

  it('rounds odd sizes up', () => {
    expect(shapes({}, { ...CIFAR10, height: 7, width: 7 }).slice(1, 4)).toEqual([
      'residualStage 16×7',
      'residualStage 32×4',
      'residualStage 64×2',
    ]);
  });

  it('normalises after the first convolution or before the classifier', () => {
    for (const activation of ['pre', 'post'] as const) {
      const { stages } = buildResNet(options({ activation }), CIFAR10);
      expect(stages[0]).toMatchObject({ kernel: 3, stride: 1, normalized: activation === 'post' });
      expect(stages.at(-1)).toEqual({ kind: 'classifier', normalized: activation === 'pre' });
    }
  });

  it.each([
    [{ depth: 111 }, 'depth is 111, which does not divide', 'L = 6n+2 without bottleneck', 'Use 110 or 116.'],
    [{ depth: 163, bottleneck: true }, 'depth is 163', 'L = 9n+2 with bottleneck', 'Use 155 or 164.'],
    [{ ...pre, depth: 29, width: 10 }, 'depth is 29', 'L = 6n+4 of a Wide ResNet', 'Use 28 or 34.'],
    [{ depth: 3 }, 'depth is 3', 'L = 6n+2', 'Use 8.'],
    [{ depth: 49, bottleneck: true, blocks: [3, 4, 6, 3] }, 'depth is 49', 'make 50 layers', 'Use 50.'],
    [{ width: 4 }, 'width is 4', 'pre-activation', "Set network.activation to 'pre'"],
    [
      { ...pre, width: 4, bottleneck: true },
      'width is 4',
      'without bottleneck',
      "Set network.activation to 'pre'",
    ],
    [{ ...pre, depth: 10, blocks: [1, 1, 1, 1] }, 'blocks is [1,1,1,1]', 'post-activation', 'leave out'],
  ])('refuses %o', (changes, where, why, remedy) => {
    const build = () => buildResNet(options(changes), CIFAR10);
    expect(build).toThrow(UserError);
    expect(build).toThrow(`network.${where}`);
    expect(build).toThrow(why);
    try {
      build();
    } catch (error) {
      expect((error as UserError).remedy).toContain(remedy);
    }
  });
});

describe('residualUnits', () => {
  const units = (changes: Partial<ResNetOptions>, stage: number) => {
    const entry = stageShapes(buildResNet(options(changes), CIFAR10))[stage]!;
    if (entry.stage.kind !== 'residualStage') throw new Error('no residual stage');
    return residualUnits(entry.stage, entry.input, entry.name);
  };

  it('pads where a basic unit changes channels, and nowhere else', () => {
    expect(units({}, 1)[0]).toMatchObject({ shortcut: 'identity' });
    const [first, second] = units({}, 2);
    expect(first).toMatchObject({ shortcut: 'padding', stride: 2, input: { channels: 16, height: 32 } });
    expect(first!.convolutions.map(({ name, norm, stride }) => [name, norm, stride])).toEqual([
      ['layer2.0.conv1', 'layer2.0.bn1', 2],
      ['layer2.0.conv2', 'layer2.0.bn2', 1],
    ]);
    expect(second).toMatchObject({ shortcut: 'identity', input: { channels: 32, height: 16 } });
  });

  it('projects in bottlenecks and Wide ResNets, with the stride where their sources have it', () => {
    const strides = (changes: Partial<ResNetOptions>, stage: number) =>
      units(changes, stage)[0]!.convolutions.map(({ stride }) => stride);
    expect(units({ ...pre, depth: 164, bottleneck: true }, 1)[0]).toMatchObject({
      shortcut: 'projection',
      stride: 1,
    });
    expect(units({ ...pre, depth: 28, width: 10 }, 2)[0]).toMatchObject({
      shortcut: 'projection',
      stride: 2,
    });
    expect(strides({ ...pre, depth: 164, bottleneck: true }, 2)).toEqual([2, 1, 1]);
    expect(strides({ depth: 164, bottleneck: true }, 2)).toEqual([1, 2, 1]);
  });
});

describe('multiplyAdds and activationBytes', () => {
  it('multiply-adds are the sum over all weights of their uses', () => {
    const any = fc.record({
      units: fc.integer({ min: 1, max: 3 }),
      activation: fc.constantFrom('pre' as const, 'post' as const),
      bottleneck: fc.boolean(),
    });
    fc.assert(
      fc.property(any, ({ units, activation, bottleneck }) => {
        const network = buildResNet(
          options({ depth: (bottleneck ? 9 : 6) * units + 2, activation, bottleneck }),
          CIFAR10,
        );
        const expected = parameters(network)
          .filter(({ role }) => role === 'convolution' || role === 'linear')
          .reduce((sum, { name, shape, role }) => {
            const stage = Number(/^layer(\d)/.exec(name)?.[1] ?? 1);
            // The only convolution before the stride of its stage.
            const early =
              activation === 'post' && bottleneck && stage > 1 && name.endsWith('.0.conv1.weight');
            const pixels = role === 'linear' ? 1 : (32 / 2 ** (stage - 1)) ** 2 * (early ? 4 : 1);
            return sum + pixels * elementCount(shape);
          }, 0);
        expect(multiplyAdds(network)).toBe(expected);
      }),
    );
  });

  it('counts the maps that the backward pass needs as by hand', () => {
    const input = { channels: 1, height: 8, width: 8, classes: 10 };
    const perImage = (changes: Partial<ResNetOptions>) =>
      activationBytes(buildResNet(options(changes), input), 3) / 3 / 4;
    const maps = 16 * 64 + 32 * 16 + 64 * 4;
    const outer = 64 + 16 * 64 + 64 + 10;
    expect(perImage({ depth: 8 })).toBe(outer + 3 * maps);
    expect(perImage({ ...pre, depth: 8 })).toBe(outer + 2 * maps);
    // Wide: the units' maps are k times wider; the projections need not stay.
    expect(perImage({ ...pre, depth: 10, width: 2 })).toBe(outer + 64 + 2 * 2 * maps);
  });
});

describe('stochastic depth', () => {
  const network = buildResNet(options({ survival: 0.5 }), CIFAR10);

  it('decays linearly to p_L', () => {
    const survival = survivalProbabilities(network);
    expect(survival).toHaveLength(54);
    expect(survival[0]).toBeCloseTo(1 - 0.5 / 54, 12);
    expect(survival[26]).toBeCloseTo(0.75, 12);
    expect(survival[53]).toBe(0.5);
    expect(survivalProbabilities(buildResNet(options({}), CIFAR10))).toEqual([]);
  });

  it('decides by seed, step and unit alone', () => {
    const survival = survivalProbabilities(network);
    const first = survivors(survival, 1, 7);
    expect(survivors(survival, 1, 7)).toEqual(first);
    expect(survivors(survival.slice(0, 10), 1, 7)).toEqual(first.slice(0, 10));
    expect(survivors(survival, 2, 7)).not.toEqual(first);
    expect(survivors(survival, 1, 8)).not.toEqual(first);
  });

  it('keeps every unit as often as it should', () => {
    const survival = [1, 0.9, 0.75, 0.5, 0.1];
    const steps = 4000;
    const counts = survival.map(() => 0);
    for (let step = 0; step < steps; step++) {
      survivors(survival, 3, step).forEach((there, unit) => {
        counts[unit]! += there;
      });
    }
    expect(counts[0]).toBe(steps);
    counts.forEach((count, unit) => {
      const p = survival[unit]!;
      expect(Math.abs(count / steps - p)).toBeLessThanOrEqual(4 * Math.sqrt((p * (1 - p)) / steps));
    });
  });
});
