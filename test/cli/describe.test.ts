import { describe, expect, it } from 'vitest';
import { descriptionLines } from '../../src/cli/describe.js';
import { loadExperiment } from '../../src/config/load.js';
import { networkOf } from '../../src/training/model.js';

async function open(config: string, set: string[] = []) {
  const experiment = await loadExperiment(config, { set });
  return { experiment, network: networkOf(experiment) };
}

describe('descriptionLines', () => {
  it("prints the paper's Table 1 with what each stage costs", async () => {
    const { experiment, network } = await open('cifar10plus-bc-100-12');
    const lines = descriptionLines(experiment, network, 64);
    expect(lines[0]).toBe('cifar10plus-bc-100-12: DenseNet-BC (L=100, k=12) on cifar10, 10 classes');
    const words = lines.map((line) => line.split(/ {2,}/));
    expect(words).toContainEqual([
      'Dense Block (1)',
      '32×32',
      '216',
      '[1×1 conv, 3×3 conv] × 16',
      '175,680',
      '174,587,904',
      '251.7 MB',
    ]);
    expect(words).toContainEqual(['', '16×16', '108', '2×2 average pool, stride 2']);
    expect(lines.slice(-4)).toEqual([
      'Parameters     769,162',
      'Multiply-adds  287,929,692 per image',
      'Activations    385.1 MB for a batch of 64',
      'Paper          4.51 % test error (Table 2, DenseNet-BC (L=100, k=12), C10+)',
    ]);
  });

  it('says what micro-batches a step has', async () => {
    const { experiment, network } = await open('cifar10-40-12', ['training.accumulate=4']);
    expect(descriptionLines(experiment, network, 16)).toContainEqual(
      'Step           64 images by 4 micro-batches of 16; each has its own batch statistics',
    );
  });

  it('says what a config says of itself, and nothing of the paper where it has no number', async () => {
    const { experiment, network } = await open('fashion-mnist-bc-100-12');
    const lines = descriptionLines(experiment, network, 64);
    expect(lines[1]).toContain('4.6 % test error');
    expect(lines.join('\n')).not.toContain('Paper');
  });
});
