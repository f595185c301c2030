import { describe, expect, it } from 'vitest';
import { buildDenseNet, type DenseNetOptions } from '../../src/networks/densenet.js';
import { stageShapes } from '../../src/networks/stages.js';
import { UserError } from '../../src/util/errors.js';

const CIFAR10 = { channels: 3, height: 32, width: 32, classes: 10 };
const options = (changes: Partial<DenseNetOptions>): DenseNetOptions => ({
  depth: 100,
  growthRate: 12,
  bottleneck: true,
  compression: 0.5,
  dropout: 0.2,
  ...changes,
});

function failure(changes: Partial<DenseNetOptions>, input = CIFAR10): UserError {
  try {
    buildDenseNet(options(changes), input);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('the network was built');
}

describe('buildDenseNet', () => {
  it('lays DenseNet-BC (L=100, k=12) out as section 3 says', () => {
    const network = buildDenseNet(options({}), CIFAR10);
    expect(network.title).toBe('DenseNet-BC (L=100, k=12)');
    expect(network.input).toEqual({ channels: 3, height: 32, width: 32 });
    expect(stageShapes(network).map(({ stage, output }) => [stage.kind, output])).toEqual([
      ['convolution', { channels: 24, height: 32, width: 32 }],
      ['denseBlock', { channels: 216, height: 32, width: 32 }],
      ['transition', { channels: 108, height: 16, width: 16 }],
      ['denseBlock', { channels: 300, height: 16, width: 16 }],
      ['transition', { channels: 150, height: 8, width: 8 }],
      ['denseBlock', { channels: 342, height: 8, width: 8 }],
      ['classifier', { channels: 10, height: 1, width: 1 }],
    ]);
    const block = { layers: 16, growthRate: 12, bottleneck: true, dropout: 0.2 };
    expect(network.stages[1]).toEqual({ kind: 'denseBlock', ...block });
    expect(network.stages[2]).toEqual({ kind: 'transition', outputChannels: 108, dropout: 0.2 });
  });

  it('gives ImageNet networks the stem of Table 1', () => {
    const network = buildDenseNet(options({ depth: 121, growthRate: 32, blocks: [6, 12, 24, 16] }), {
      channels: 3,
      height: 224,
      width: 224,
      classes: 1000,
    });
    expect(stageShapes(network).map(({ output }) => `${output.channels}×${output.height}`)).toEqual([
      '64×112',
      '64×56',
      '256×56',
      '128×28',
      '512×28',
      '256×14',
      '1024×14',
      '512×7',
      '1024×7',
      '1000×1',
    ]);
    expect(network.stages[0]).toMatchObject({ kernel: 7, stride: 2, padding: 3, normalized: true });
    expect(network.stages[1]).toEqual({ kind: 'maxPooling', kernel: 3, stride: 2, padding: 1 });
  });

  it.each([
    ['DenseNet (L=100, k=12)', { bottleneck: false, compression: 1 }, 16, 32],
    ['DenseNet-B (L=100, k=12)', { compression: 1 }, 16, 16],
    ['DenseNet-C (L=100, k=12)', { bottleneck: false }, 16, 32],
    ['DenseNet-BC (L=100, k=12)', {}, 24, 16],
  ])('%s starts with as many channels as the paper says', (title, changes, channels, layers) => {
    const network = buildDenseNet(options(changes), CIFAR10);
    expect(network.title).toBe(title);
    expect(network.stages[0]).toMatchObject({ outputChannels: channels });
    expect(network.stages[1]).toMatchObject({ layers });
  });

  it('takes the first channels from the config where it says them', () => {
    const network = buildDenseNet(options({ initialChannels: 7 }), CIFAR10);
    expect(network.stages[0]).toMatchObject({ outputChannels: 7 });
  });

  it('rounds compressed channels down, and keeps at least one', () => {
    const third = buildDenseNet(
      options({ depth: 10, growthRate: 1, initialChannels: 3, compression: 0.3 }),
      CIFAR10,
    );
    expect(third.stages[2]).toMatchObject({ outputChannels: 1 });
    const tiny = buildDenseNet(
      options({ depth: 10, growthRate: 1, initialChannels: 1, compression: 0.01 }),
      CIFAR10,
    );
    expect(tiny.stages[2]).toMatchObject({ outputChannels: 1 });
  });

  it.each([
    [{ depth: 41, bottleneck: false }, 'L = 3N+4 without bottleneck', 'Use 40 or 43.'],
    [{ depth: 99 }, 'L = 6N+4 with bottleneck', 'Use 94 or 100.'],
    [{ depth: 4 }, 'L = 6N+4', 'Use 10.'],
    [{ depth: 1 }, 'L = 6N+4', 'Use 10.'],
    [
      { depth: 120, growthRate: 32, blocks: [6, 12, 24, 15] },
      'the listed blocks make 119 layers',
      'Use 119.',
    ],
  ])('refuses %o and names the nearest depths', (changes, message, remedy) => {
    const error = failure(changes);
    expect(error.kind).toBe('usage');
    expect(error.message).toContain(message);
    expect(error.remedy).toBe(remedy);
  });

  it('takes listed blocks, any number of them, after the CIFAR stem too', () => {
    const listed = buildDenseNet(options({ depth: 100, blocks: [16, 16, 16], stem: 'cifar' }), CIFAR10);
    expect(listed).toEqual(buildDenseNet(options({}), CIFAR10));
    const blocks = [2, 3, 1, 4];
    const own = buildDenseNet(options({ depth: 25, growthRate: 4, blocks, stem: 'cifar' }), CIFAR10);
    expect(own.stages.flatMap((stage) => (stage.kind === 'denseBlock' ? [stage.layers] : []))).toEqual(
      blocks,
    );
    expect(own.stages[0]).toMatchObject({ kernel: 3, stride: 1, outputChannels: 8 });
    expect(stageShapes(own).at(-2)!.output).toMatchObject({ height: 4, width: 4 });
    expect(failure({ depth: 26, growthRate: 4, blocks, stem: 'cifar' }).message).toContain('25 layers');
    expect(failure({ stem: 'imagenet' }).message).toBe(
      'network.stem is imagenet, but no dense blocks are listed',
    );
  });

  it('refuses images that its poolings would use up', () => {
    const fashion = { channels: 1, height: 28, width: 28, classes: 10 };
    const error = failure({ depth: 121, growthRate: 32, blocks: [6, 12, 24, 16] }, fashion);
    expect(error.message).toContain('28×28');
    expect(error.remedy).toContain('network.blocks');
  });
});
