import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configNames, configsFolder } from '../../src/config/files.js';
import { configJsonSchema } from '../../src/config/json-schema.js';
import { loadExperiment } from '../../src/config/load.js';
import type { Experiment } from '../../src/config/schema.js';
import { definitionOf } from '../../src/datasets/index.js';
import { buildNetwork, variantOf } from '../../src/networks/build.js';
import { parameterCount } from '../../src/networks/counts.js';
import { authorsNetwork161, authorsNetwork264, table1Networks } from '../../src/tables/imagenet-networks.js';
import { methodName } from '../../src/tables/labels.js';
import { paperTable2, readTable, TABLE2_COLUMNS, type Table2Column } from '../../src/tables/paper-csv.js';
import { table2Network } from '../../src/tables/table2-networks.js';
import { networkOf } from '../../src/training/model.js';
import { learningRate } from '../../src/training/schedule.js';

const PREFIXES: Readonly<Record<Table2Column, string>> = {
  C10: 'cifar10',
  'C10+': 'cifar10plus',
  C100: 'cifar100',
  'C100+': 'cifar100plus',
  SVHN: 'svhn',
};

/** Every cell of Table 2 that a DenseNet has, with the name its config must have. */
const cells = paperTable2()
  .filter(({ method }) => method.startsWith('DenseNet'))
  .flatMap(({ method, depth, params, errors }) =>
    TABLE2_COLUMNS.flatMap((column) => {
      const error = errors[column];
      const growthRate = Number(/k=(\d+)/.exec(method)?.[1]);
      const suffix = `${method.startsWith('DenseNet-BC') ? 'bc-' : ''}${depth}-${growthRate}`;
      if (error === undefined || depth === undefined) return [];
      return [{ name: `${PREFIXES[column]}-${suffix}`, method, depth, params, growthRate, column, error }];
    }),
  );

/** What the configs of the compared networks are called, after the column. */
const COMPARED: Readonly<Record<string, (depth: number, column: Table2Column) => string>> = {
  ResNet: (depth) => `resnet-${depth}`,
  'ResNet (reported by Stochastic Depth)': (_, column) => `resnet-constant-${column === 'SVHN' ? 152 : 110}`,
  'ResNet with Stochastic Depth': (depth, column) => `resnet-stochastic-${column === 'SVHN' ? 152 : depth}`,
  'Wide ResNet': (depth) => `wide-resnet-${depth}-${depth === 16 ? 8 : 10}`,
  'Wide ResNet with Dropout': (depth) => `wide-resnet-${depth}-4`,
  'ResNet (pre-activation)': (depth) => `preresnet-${depth}`,
};

/** Every cell of Table 2 that a ResNet has. */
const comparedCells = paperTable2().flatMap(({ method, depth, errors }) =>
  TABLE2_COLUMNS.flatMap((column) => {
    const error = errors[column];
    const name = COMPARED[method];
    if (error === undefined || name === undefined) return [];
    return [{ name: `${PREFIXES[column]}-${name(depth!, column)}`, method, depth: depth!, column, error }];
  }),
);

/** What the sources of the compared networks say of training, where it is not the recipe of section 4.2. */
const SOURCES: readonly [test: RegExp, training: Partial<Experiment['training']>, validation: number][] = [
  [/^cifar10-preresnet|^cifar100-preresnet/, {}, 0],
  [/^cifar10plus-preresnet-1001/, { epochs: 200, learningRate: steps(0.1, [0.4, 0.605], 0.1) }, 0],
  [
    /plus-preresnet|plus-resnet-110/,
    { epochs: 164, batchSize: 128, nesterov: false, learningRate: steps(0.1, [0.5, 0.75], 0.1, 1.023) },
    0,
  ],
  [/-stochastic-1202/, { epochs: 500, batchSize: 128, learningRate: steps(0.1, [0.5, 0.75], 0.1, 10) }, 5000],
  [/^cifar.*-(constant|stochastic)/, { epochs: 500, batchSize: 128 }, 5000],
  [/^svhn-resnet/, { epochs: 50, batchSize: 128, learningRate: steps(0.1, [0.6, 0.7], 0.1) }, 6000],
  [
    /^cifar.*-wide/,
    { epochs: 200, batchSize: 128, learningRate: steps(0.1, [0.3, 0.6, 0.8], 0.2), weightDecay: 5e-4 },
    0,
  ],
  [
    /^svhn-wide/,
    { epochs: 160, batchSize: 128, learningRate: steps(0.01, [0.5, 0.75], 0.1), weightDecay: 5e-4 },
    0,
  ],
];

function steps(initial: number, milestones: number[], factor: number, warmupEpochs?: number) {
  const warmup = warmupEpochs === undefined ? null : { epochs: warmupEpochs, rate: 0.01 };
  return { schedule: 'steps', initial, milestones, factor, warmup } as const;
}

/** The recipe of section 4.2, for every column of Table 2. */
function recipe(column: Table2Column): Omit<Experiment, 'name' | 'description' | 'network' | 'paper'> {
  const training: Experiment['training'] = {
    epochs: column === 'SVHN' ? 40 : 300,
    batchSize: 64,
    accumulate: 1,
    learningRate: steps(0.1, [0.5, 0.75], 0.1),
    momentum: 0.9,
    nesterov: true,
    weightDecay: 1e-4,
    seed: 1,
    shuffle: true,
    memoryEfficient: false,
    compile: false,
    precision: 'float32',
  };
  if (column === 'SVHN') {
    const dataset: Experiment['dataset'] = { name: 'svhn', augmentation: [], validation: 6000 };
    return { dataset, training, report: 'best-validation' };
  }
  const name = column.startsWith('C100') ? 'cifar100' : 'cifar10';
  const augmentation: Experiment['dataset']['augmentation'] = column.endsWith('+') ? ['shift', 'mirror'] : [];
  return { dataset: { name, augmentation, validation: 0 }, training, report: 'last' };
}

describe('the configs of Table 2', () => {
  it('are all there, and none for the cells that the paper leaves empty', () => {
    const claiming = configNames().filter((name) => /^(cifar10|cifar100|svhn)/.test(name));
    expect(claiming.sort()).toEqual([...cells, ...comparedCells].map(({ name }) => name).sort());
    expect(cells).toHaveLength(27);
    expect(comparedCells).toHaveLength(25);
  });

  it.each(cells)('$name', async ({ name, method, depth, params, growthRate, column, error }) => {
    const bottleneck = method.startsWith('DenseNet-BC');
    const row = `${bottleneck ? 'DenseNet-BC' : 'DenseNet'} (L=${depth}, k=${growthRate})`;
    const experiment = await loadExperiment(name);
    expect(experiment).toEqual({
      name,
      description: experiment.description,
      network: {
        family: 'densenet',
        depth,
        growthRate,
        bottleneck,
        compression: bottleneck ? 0.5 : 1,
        dropout: column.endsWith('+') ? 0 : 0.2,
      },
      paper: { table: 2, row, column, error },
      ...recipe(column),
    });
    const network = buildNetwork(experiment.network, { channels: 3, height: 32, width: 32, classes: 10 });
    expect(network.title).toBe(row);
    expect(`${variantOf(experiment.network)} (k=${growthRate})`).toBe(method);
    expect(`${(parameterCount(network) / 1e6).toFixed(1)}M`).toBe(params);
  });
});

describe('the configs of the networks that Table 2 compares with', () => {
  it.each(comparedCells)('$name', async ({ name, method, depth, column, error }) => {
    const experiment = await loadExperiment(name);
    const [, training, validation] = SOURCES.find(([test]) => test.test(name))!;
    const { dataset, training: usual } = recipe(column);
    expect(experiment.training).toEqual({ ...usual, ...training });
    expect(experiment.dataset).toEqual({ ...dataset, validation });
    expect(experiment.report).toBe(validation > 0 ? 'best-validation' : 'last');
    expect(experiment.paper).toEqual({ table: 2, row: `${method} (L=${depth})`, column, error });
    const trainedDepth = name.endsWith('-152') ? 152 : depth;
    expect(experiment.network).toEqual({ ...table2Network(method, depth), depth: trainedDepth });
    expect(methodName(experiment.network)).toBe(method.replace(' (reported by Stochastic Depth)', ''));
  });
});

describe('the configs of ImageNet', () => {
  const densenets = [...table1Networks(), authorsNetwork161(), authorsNetwork264()];

  it.each(densenets)('$name (k=$options.growthRate)', async ({ name, options, network }) => {
    const { depth, growthRate } = options;
    const file = `imagenet-densenet-${depth}${name.endsWith('264') && growthRate === 48 ? '-k48' : ''}`;
    const experiment = await loadExperiment(file);
    const image = { channels: 3, height: 224, width: 224, classes: 1000 };
    expect(parameterCount(buildNetwork(experiment.network, image))).toBe(parameterCount(network));
    expect(networkOf(experiment)).toEqual(network);
    const row = readTable('table3').find(
      (record) => record.method === name && record.growth_rate === `${growthRate}`,
    );
    const error = Number(row?.top1_single_crop);
    const paper = row && { table: 3, row: `${name} (k=${growthRate})`, column: 'top-1 single crop', error };
    expect(experiment.paper).toEqual(paper);
  });

  it.each([
    [34, 21_797_672],
    [50, 25_557_032],
    [101, 44_549_160],
    [152, 60_192_808],
  ])('ResNet-%i', async (depth, parameters) => {
    const experiment = await loadExperiment(`imagenet-resnet-${depth}`);
    expect(parameterCount(networkOf(experiment))).toBe(parameters);
    expect(experiment.network.depth).toBe(depth);
    expect(experiment).not.toHaveProperty('paper');
  });

  it('follow the recipe of section 4.2: 90 epochs of 256 images, a tenth from the 31st and the 61st on', async () => {
    for (const name of configNames().filter((one) => one.startsWith('imagenet-'))) {
      const { dataset, training, report } = await loadExperiment(name);
      const augmentation = ['sized-crop', 'color-jitter', 'lighting', 'mirror'];
      expect(dataset).toEqual({ name: 'imagenet', augmentation, validation: 0 });
      expect(report).toBe('last');
      const optimizer = { momentum: 0.9, nesterov: true, weightDecay: 1e-4, shuffle: true };
      expect(training).toMatchObject({ epochs: 90, batchSize: 256, ...optimizer });
      const rate = (epoch: number) =>
        learningRate(training.learningRate, { epoch, step: 0, epochs: 90, stepsPerEpoch: 5005 });
      expect([0, 29, 30, 59, 60, 89].map((epoch) => Number(rate(epoch).toPrecision(6)))).toEqual([
        0.1, 0.1, 0.01, 0.01, 0.001, 0.001,
      ]);
    }
  });
});

describe('every other config', () => {
  it('trains Fashion-MNIST as published', async () => {
    expect(await loadExperiment('fashion-mnist-bc-100-12')).toMatchObject({
      network: { depth: 100, growthRate: 12, bottleneck: true, compression: 0.5, dropout: 0 },
      dataset: { name: 'fashion-mnist', augmentation: ['shift', 'mirror'], validation: 0 },
      training: { epochs: 100, learningRate: { schedule: 'cosine', initial: 0.1 } },
    });
  });

  it('has the quickstart use the images that come with the program', async () => {
    expect((await loadExperiment('quickstart')).dataset.name).toBe('fashion-mnist-mini');
  });

  it.each(['cifar10', 'cifar100', 'svhn', 'fashion-mnist', 'fashion-mnist-mini'])(
    'has a tiny one for %s',
    async (dataset) => {
      const experiment = await loadExperiment(`smoke-${dataset}`);
      expect(experiment.dataset.name).toBe(dataset);
      expect(experiment.training.epochs).toBe(1);
      expect(experiment.network.depth).toBe(10);
      expect(experiment).not.toHaveProperty('paper');
    },
  );

  it('is a valid experiment', async () => {
    for (const name of configNames()) expect((await loadExperiment(name)).name).toBe(name);
  });
});

describe('the description of a config', () => {
  it.each(configNames())("of %s has the paper's number", async (name) => {
    const { description = '', paper } = await loadExperiment(name);
    expect(description).toMatch(/^[A-Z].*[.?]$/);
    const printed = / The paper: (\d+\.\d\d) % (top-1|test) error/.exec(description)?.[1];
    expect(printed).toBe(paper?.error.toFixed(2));
  });

  it('has the time that follows from the speed that it names', async () => {
    const pattern =
      /Computed: ([\d.]+) days.*, from ([\d.]+) images\/s(?: in training and ([\d.]+) in evaluation)?/;
    const computed: string[] = [];
    for (const name of configNames()) {
      const experiment = await loadExperiment(name);
      const found = pattern.exec(experiment.description ?? '');
      if (!found) continue;
      computed.push(name);
      const [, days, train, evaluate] = found;
      const { trainCount, testCount } = definitionOf(experiment.dataset);
      const { validation } = experiment.dataset;
      const epoch =
        (trainCount - validation) / Number(train) +
        (evaluate === undefined ? 0 : (testCount + validation) / Number(evaluate));
      const expected = (experiment.training.epochs * epoch) / 86_400;
      expect(days, name).toBe(expected < 10 ? expected.toFixed(1) : expected.toFixed(0));
      expect(experiment.network.dropout, `${name}: no speed was measured with dropout`).toBe(0);
    }
    expect(computed).toContain('cifar10plus-bc-100-12');
  });
});

describe('docs/configs.md', () => {
  it('names every key', () => {
    const text = readFileSync(join(configsFolder, '..', 'docs', 'configs.md'), 'utf8');
    const properties = configJsonSchema().properties ?? {};
    const keys = Object.entries(properties).flatMap(([key, schema]) => {
      const inner = typeof schema === 'object' ? Object.keys(schema.properties ?? {}) : [];
      return key === 'paper' || inner.length === 0 ? [key] : inner;
    });
    const missing = keys.filter((key) => !new RegExp(`\\b${key.replace('$', '')}["\`]`).test(text));
    expect(missing).toEqual([]);
  });
});

describe('configs/schema.json', () => {
  it('is current (npm run schema writes it)', () => {
    const written: unknown = JSON.parse(readFileSync(join(configsFolder, 'schema.json'), 'utf8'));
    expect(written).toEqual(configJsonSchema());
  });

  it('is named by every config, so that editors find it', async () => {
    for (const folder of ['', 'recipes']) {
      for (const file of await readdir(join(configsFolder, folder))) {
        if (!file.endsWith('.json') || file === 'schema.json') continue;
        const config = JSON.parse(readFileSync(join(configsFolder, folder, file), 'utf8')) as object;
        expect(config).toHaveProperty('$schema', folder === '' ? './schema.json' : '../schema.json');
      }
    }
  });

  it('describes every key, so that editors teach', () => {
    const undescribed: string[] = [];
    const visit = (schema: unknown, path: string) => {
      if (typeof schema !== 'object' || schema === null) return;
      const node = schema as {
        description?: string;
        properties?: Record<string, unknown>;
        oneOf?: unknown[];
      };
      if (node.description === undefined) undescribed.push(path);
      for (const [key, child] of Object.entries(node.properties ?? {})) visit(child, `${path}.${key}`);
      for (const member of node.oneOf ?? []) {
        const { properties } = member as { properties: Record<string, unknown> };
        for (const [key, child] of Object.entries(properties)) visit(child, `${path}.${key}`);
      }
    };
    visit(configJsonSchema(), 'config');
    expect(undescribed).toEqual([]);
  });
});
