import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configNames } from '../../src/config/files.js';
import { variantOf } from '../../src/networks/build.js';
import { readSweepFile } from '../../src/sweep/definition.js';
import { expandSweep } from '../../src/sweep/expand.js';
import { packageRoot } from '../../src/util/package.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-sweep-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function file(text: string): Promise<string> {
  const path = join(folder, 'sweep.yaml');
  await writeFile(path, text);
  return path;
}

describe('a sweep file', () => {
  it('becomes every config with every point of the grid and every seed', async () => {
    const path = await file(`
configs: [quickstart, { config: smoke-fashion-mnist-mini, set: [training.epochs=2] }]
set: [training.batchSize=32]
grid: { network.growthRate: [4, 8], network.bottleneck: [true] }
seeds: [1, 2]
subset: 100
`);
    const runs = await expandSweep(await readSweepFile(path));
    expect(runs.map(({ label }) => label)).toEqual([
      'quickstart-growthRate-4-bottleneck-true seed 1',
      'quickstart-growthRate-4-bottleneck-true seed 2',
      'quickstart-growthRate-8-bottleneck-true seed 1',
      'quickstart-growthRate-8-bottleneck-true seed 2',
      'smoke-fashion-mnist-mini-growthRate-4-bottleneck-true seed 1',
      'smoke-fashion-mnist-mini-growthRate-4-bottleneck-true seed 2',
      'smoke-fashion-mnist-mini-growthRate-8-bottleneck-true seed 1',
      'smoke-fashion-mnist-mini-growthRate-8-bottleneck-true seed 2',
    ]);
    const last = runs.at(-1)!;
    expect(last.experiment).toMatchObject({
      network: { growthRate: 8 },
      training: { batchSize: 32, epochs: 2, seed: 2 },
    });
    expect(last.trainArguments).toContain('--subset=100');
  });

  it('has a run once, however often it is listed', async () => {
    const path = await file('configs: [quickstart, quickstart]\nseeds: [1, 2, 1]');
    const runs = await expandSweep(await readSweepFile(path));
    expect(runs.map(({ label }) => label)).toEqual(['quickstart seed 1', 'quickstart seed 2']);
  });

  it('extends another, and leaves a share of the epochs with the schedule that belongs to them', async () => {
    const base = await file('configs: [cifar10plus-bc-100-12, cifar10plus-resnet-110]\nseeds: [1, 2]');
    const tenth = join(folder, 'tenth.yaml');
    await writeFile(tenth, `extends: ${base}\nseeds: [3]\nbudget: 0.1`);
    const runs = await expandSweep(await readSweepFile(tenth));
    expect(runs.map(({ label }) => label)).toEqual([
      'cifar10plus-bc-100-12-30-epochs seed 3',
      'cifar10plus-resnet-110-16-epochs seed 3',
    ]);
    const [densenet, resnet] = runs.map(({ experiment }) => experiment.training);
    expect(densenet).toMatchObject({ epochs: 30, learningRate: { milestones: [0.5, 0.75] } });
    expect(resnet!.learningRate.warmup!.epochs).toBeCloseTo((1.023 * 16) / 164, 10);
    await writeFile(tenth, `extends: ${tenth}`);
    await expect(readSweepFile(tenth)).rejects.toThrow('extends itself');
    await writeFile(tenth, 'budget: 0.1');
    await expect(readSweepFile(tenth)).rejects.toThrow('names no configs');
  });

  it('of the program has Table 2 at a tenth of the epochs', async () => {
    const [whole, tenth] = await Promise.all(
      ['table2', 'table2-tenth'].map(async (name) =>
        expandSweep(await readSweepFile(join(packageRoot, 'experiments', `${name}.yaml`))),
      ),
    );
    expect(tenth!.map(({ experiment }) => experiment.training.epochs)).toEqual(
      whole!.map(({ experiment }) => Math.round(experiment.training.epochs / 10)),
    );
  });

  it('finds configs by their path as seen from the file', async () => {
    await writeFile(join(folder, 'mine.yaml'), 'extends: ./base.yaml\nname: mine');
    await writeFile(
      join(folder, 'base.yaml'),
      'network: { depth: 10, growthRate: 4 }\ndataset: { name: svhn }',
    );
    const [run] = await expandSweep(await readSweepFile(await file('configs: [./mine.yaml]')));
    expect(run!.experiment).toMatchObject({ name: 'mine', training: { seed: 1 } });
  });

  it.each([
    ['configs: []', /configs/],
    ['config: [quickstart]', /no key 'config'/],
    ['configs: [{ config: quickstart, sets: [] }]', /no key 'sets'/],
    ['configs: [quickstart]\nseeds: [x]', /seeds\.0/],
    ['configs: [quickstart', /sweep\.yaml/],
  ])('is refused with its name: %j', async (text, says) => {
    await expect(readSweepFile(await file(text))).rejects.toThrow(says);
  });

  it('is refused before anything starts if one config does not fit', async () => {
    const path = await file('configs: [quickstart]\ngrid: { network.depth: [22, 23] }');
    await expect(expandSweep(await readSweepFile(path))).rejects.toThrow('23');
  });
});

describe('experiments/table2.yaml', () => {
  it('has every config of Table 2, once', async () => {
    const runs = await expandSweep(await readSweepFile(join(packageRoot, 'experiments', 'table2.yaml')));
    const expected = configNames().filter((name) => /^(cifar|svhn)/.test(name));
    expect(runs.map(({ experiment }) => experiment.name).sort()).toEqual(expected);
    expect(runs.every(({ experiment }) => experiment.paper?.table === 2)).toBe(true);
  });
});

describe.each([
  ['table3', ['densenet-121', 'densenet-169', 'densenet-201', 'densenet-264']],
  [
    'figure3',
    [
      'densenet-121',
      'densenet-169',
      'densenet-201',
      'densenet-264',
      'resnet-101',
      'resnet-152',
      'resnet-34',
      'resnet-50',
    ],
  ],
])('experiments/%s.yaml', (name, networks) => {
  it('has every network of the paper, once', async () => {
    const runs = await expandSweep(await readSweepFile(join(packageRoot, 'experiments', `${name}.yaml`)));
    const names = runs.map(({ experiment }) => experiment.name).sort();
    expect(names).toEqual(networks.map((network) => `imagenet-${network}`));
  });
});

describe('experiments/figure4-left.yaml', () => {
  it('has all four variants at every depth, each under a name of its own', async () => {
    const runs = await expandSweep(
      await readSweepFile(join(packageRoot, 'experiments', 'figure4-left.yaml')),
    );
    const seeded = runs.filter(({ experiment }) => experiment.training.seed === 1);
    expect(runs).toHaveLength(3 * seeded.length);
    expect(new Set(seeded.map(({ experiment }) => experiment.name)).size).toBe(20);
    const variants = seeded.map(({ experiment }) => variantOf(experiment.network));
    for (const name of ['DenseNet', 'DenseNet-B', 'DenseNet-C', 'DenseNet-BC'])
      expect(variants.filter((found) => found === name)).toHaveLength(5);
  });
});

describe('experiments/figure4-left-small.yaml', () => {
  it('has three sizes of DenseNet and of DenseNet-BC, each under a name of its own', async () => {
    const runs = await expandSweep(
      await readSweepFile(join(packageRoot, 'experiments', 'figure4-left-small.yaml')),
    );
    const names = runs.map(({ experiment: { name, training } }) => `${name} ${training.seed}`);
    expect(new Set(names).size).toBe(12);
    const variants = runs.map(({ experiment }) => variantOf(experiment.network));
    for (const name of ['DenseNet', 'DenseNet-BC'])
      expect(variants.filter((found) => found === name)).toHaveLength(6);
  });
});

describe('experiments/figure4-middle.yaml', () => {
  it('has DenseNet-BC and pre-activation ResNets, by one recipe, each under a name of its own', async () => {
    const runs = await expandSweep(
      await readSweepFile(join(packageRoot, 'experiments', 'figure4-middle.yaml')),
    );
    const seeded = runs.filter(({ experiment }) => experiment.training.seed === 1);
    expect(runs).toHaveLength(3 * seeded.length);
    expect(new Set(seeded.map(({ experiment }) => experiment.name)).size).toBe(10);
    expect(new Set(seeded.map(({ experiment }) => JSON.stringify(experiment.training))).size).toBe(1);
    const variants = seeded.map(({ experiment }) => variantOf(experiment.network));
    for (const name of ['DenseNet-BC', 'ResNet (pre-activation)'])
      expect(variants.filter((found) => found === name)).toHaveLength(5);
  });
});
