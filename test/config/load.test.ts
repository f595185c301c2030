import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configsFolder } from '../../src/config/files.js';
import { changedKeys } from '../../src/config/identity.js';
import { loadExperiment, parseExperiment } from '../../src/config/load.js';
import { UserError } from '../../src/util/errors.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}

async function failure(load: Promise<unknown>): Promise<UserError> {
  const error: unknown = await load.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) throw new Error(`expected a UserError, got ${String(error)}`);
  expect(error.kind).toBe('usage');
  expect(error.message).not.toContain('\n');
  expect(error.remedy).not.toContain('\n');
  return error;
}

const MINIMAL = '{ "network": { "depth": 40, "growthRate": 12 }, "dataset": { "name": "cifar10" } }';

describe('loadExperiment', () => {
  it("fills in the paper's recipe and the file's name", async () => {
    expect(await loadExperiment(await write('minimal.json', MINIMAL))).toEqual({
      name: 'minimal',
      network: {
        family: 'densenet',
        depth: 40,
        growthRate: 12,
        bottleneck: false,
        compression: 1,
        dropout: 0,
      },
      dataset: { name: 'cifar10', augmentation: [], validation: 0 },
      training: {
        epochs: 300,
        batchSize: 64,
        accumulate: 1,
        learningRate: { schedule: 'steps', initial: 0.1, milestones: [0.5, 0.75], factor: 0.1, warmup: null },
        momentum: 0.9,
        nesterov: true,
        weightDecay: 1e-4,
        seed: 1,
        shuffle: true,
        memoryEfficient: false,
        compile: false,
        precision: 'float32',
      },
      report: 'last',
    });
  });

  it('finds configs by name, with and without extension, and by path', async () => {
    const byName = await loadExperiment('quickstart');
    expect(await loadExperiment('quickstart.json')).toEqual(byName);
    expect(await loadExperiment(join(configsFolder, 'quickstart.json'))).toEqual(byName);
  });

  it('reads YAML as JSON', async () => {
    const yaml = await write(
      'same.yaml',
      'name: minimal\nnetwork: {depth: 40, growthRate: 12}\ndataset:\n  name: cifar10 # ten classes\n',
    );
    const json = await write('minimal.json', MINIMAL);
    expect(await loadExperiment(yaml)).toEqual(await loadExperiment(json));
  });

  it('follows extends from file to file, each path relative to its own file', async () => {
    await write('deep/base.json', MINIMAL.replace('{', '{ "name": "base", "description": "of the base",'));
    await write('deep/middle.yml', 'extends: base.json\nnetwork: {growthRate: 24}\ntraining: {epochs: 7}\n');
    const top = await write('top.json', '{ "extends": "deep/middle.yml", "training": { "seed": 5 } }');
    const experiment = await loadExperiment(top);
    expect(experiment).toMatchObject({
      name: 'top',
      network: { depth: 40, growthRate: 24 },
      training: { epochs: 7, seed: 5 },
    });
    expect(experiment).not.toHaveProperty('description');
  });

  it('extends a recipe by its name from anywhere, unless a file of that name is nearer', async () => {
    const network = 'network: {depth: 40, growthRate: 12}\ndataset: {name: cifar10}\n';
    for (const name of ['recipes/cifar', 'recipes/cifar.json']) {
      const far = await write('far/away.yaml', `extends: ${name}\n${network}`);
      expect((await loadExperiment(far)).network.dropout).toBe(0.2);
    }
    await write('near/recipes/cifar.json', '{ "network": { "dropout": 0.5 } }');
    const near = await write('near/by.yaml', `extends: recipes/cifar.json\n${network}`);
    expect((await loadExperiment(near)).network.dropout).toBe(0.5);
    const error = await failure(loadExperiment(await write('far/no.yaml', 'extends: ./recipes/cifar.json')));
    expect(error.message).toContain('which is not a file');
  });

  it('lays --set on the file in turn, and the other options on both', async () => {
    const path = await write('minimal.json', MINIMAL);
    const experiment = await loadExperiment(path, {
      set: ['training.epochs=9', 'training.epochs=10', 'dataset.augmentation=[shift, mirror]', 'name=mine'],
      overrides: { training: { seed: 3, epochs: undefined } },
    });
    expect(experiment.name).toBe('mine');
    expect(experiment.dataset.augmentation).toEqual(['shift', 'mirror']);
    expect(experiment.training).toMatchObject({ epochs: 10, seed: 3 });
  });

  it('sets any value to what was written', async () => {
    const path = await write('minimal.json', MINIMAL);
    const training = fc.record({
      epochs: fc.integer({ min: 1, max: 1e6 }),
      weightDecay: fc.double({ min: 0, max: 1, noNaN: true }),
      shuffle: fc.boolean(),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(training, async (values) => {
        const set = Object.entries(values).map(([key, value]) => `training.${key}=${value}`);
        expect((await loadExperiment(path, { set })).training).toMatchObject(values);
      }),
      { numRuns: 30 },
    );
  });

  it('changes from steps to cosine in one --set', async () => {
    const { training } = await loadExperiment('cifar10-40-12', {
      set: ['training.learningRate.schedule=cosine'],
    });
    expect(training.learningRate).toEqual({ schedule: 'cosine', initial: 0.1, warmup: null });
  });

  it("forgets the paper's number when the network becomes another", async () => {
    expect(await loadExperiment('cifar10-40-12')).toHaveProperty('paper.error', 7);
    const other = await loadExperiment('cifar10-40-12', { set: ['network.depth=43'] });
    expect(other).not.toHaveProperty('paper');
  });

  it('forgets the description when anything but name and seed becomes another', async () => {
    const { description } = await loadExperiment('cifar10plus-40-12');
    const described = (set: string[]) => loadExperiment('cifar10plus-40-12', { set });
    for (const set of ['name=mine', 'training.seed=7'])
      expect(await described([set])).toHaveProperty('description', description);
    for (const set of ['network.depth=43', 'training.epochs=2', 'dataset.augmentation=[]'])
      expect(await described([set])).not.toHaveProperty('description');
    for (const set of [
      ['training.epochs=2', 'description=Short.'],
      ['description=Short.', 'training.epochs=2'],
    ])
      expect(await described(set)).toHaveProperty('description', 'Short.');
  });

  it('reads back what it wrote', async () => {
    const experiment = await loadExperiment('svhn-bc-100-12');
    const again = parseExperiment(JSON.parse(JSON.stringify(experiment)));
    expect(again).toEqual(experiment);
    expect(changedKeys(experiment, again)).toEqual([]);
    const path = await write('config.json', JSON.stringify(experiment));
    expect(await loadExperiment(path)).toEqual(experiment);
  });
});

describe('what is wrong with a value', () => {
  it.each([
    ['network.dept=40', "there is no key 'network.dept'", "Did you mean 'depth'?"],
    ['epochs=1', "there is no key 'epochs'", "Did you mean 'training.epochs'?"],
    ['nework.depth=40', "there is no key 'nework'", "Did you mean 'network'?"],
    ['extends=x.json', "there is no key 'extends'", 'Valid: name, description, network'],
    ['network.depth=41', 'network.depth is 41', 'Use 40 or 43.'],
    ['constructor=1', "there is no key 'constructor'", 'Valid: '],
    ['__proto__.depth=1', "there is no key '__proto__'", 'Valid: '],
    ['training.weightDecay=.inf', 'training.weightDecay must be a number, and is Infinity', 'from 0 (none)'],
    ['network.depth=0', 'network.depth must be at least 1, and is 0', '3N+4'],
    ['network.depth=40.5', 'network.depth must be a whole number, and is 40.5', '3N+4'],
    ['network.depth=', 'network.depth must be a number, and is null', '3N+4'],
    ['network.compression=0', 'network.compression must be more than 0, and is 0', 'above 0 and at most 1'],
    ['network.compression=1.5', 'network.compression must be at most 1, and is 1.5', 'above 0 and at most 1'],
    ['network.dropout=1', 'network.dropout must be at most 0.95, and is 1', 'from 0 to 0.95'],
    ['network.bottleneck=maybe', 'network.bottleneck must be true or false, and is "maybe"', '-B'],
    ['network.blocks=[]', 'network.blocks must not be empty', 'dense block'],
    ['network.family=resnett', 'network.family "resnett" is unknown', "Did you mean 'resnet'?"],
    ['network.family=resnet', 'network.depth is missing', '6n+2'],
    ['network={family: resnet, depth: 111}', 'network.depth is 111', 'Use 110 or 116.'],
    ['network={family: resnet, depth: 40, width: 4}', 'network.width is 4', "network.activation to 'pre'"],
    ['network={family: resnet, depth: 8, survival: 0}', 'network.survival must be more than 0', 'last unit'],
    [
      'network={family: resnet, depth: 8, growthRate: 12}',
      "there is no key 'network.growthRate'",
      'network.growthRate is of family densenet: take it out, or set network.family to densenet.',
    ],
    ['network.width=4', "there is no key 'network.width'", 'of family resnet'],
    ['depth=40', "there is no key 'depth'", "Did you mean 'network.depth'?"],
    ['dataset.name=cifar', 'dataset.name "cifar" is unknown', "Did you mean 'cifar10'?"],
    ['dataset.augmentation=shift', 'dataset.augmentation must be a list, and is "shift"', 'mirror'],
    [
      'dataset.augmentation=[flip]',
      'dataset.augmentation.0 "flip" is unknown',
      'Valid: shift, mirror, sized-crop, color-jitter, lighting.',
    ],
    ['training=3', 'training must be an object, and is 3', 'Its keys: training.epochs, '],
    ['training.learningRate.schedule=cos', 'schedule "cos" is unknown', 'Valid: steps, cosine.'],
    ['training.learningRate.milestones=[2]', 'milestones.0 must be less than 1, and is 2', 'fractions'],
    ['training.momentum=0', 'training.nesterov is true, but momentum is 0', 'nesterov to false'],
    [
      'training.accumulate=6',
      'accumulate is 6, which does not divide batchSize, 64',
      '1, 2, 4, 8, 16, 32, 64.',
    ],
    [
      'dataset.augmentation=[lighting]',
      "dataset.augmentation has 'lighting', which is not for cifar10",
      'mirror',
    ],
    ['dataset.resize=paper', 'dataset.resize is paper, but the images of cifar10 are not resized', 'out'],
    ['report=best-validation', 'no images are held out', 'dataset.validation'],
    ['name=a b', 'name "a b" does not fit', 'letters, digits'],
    ['name=7', 'name must be a text, and is 7', 'folder of the runs'],
  ])('%s', async (setting, message, remedy) => {
    const error = await failure(loadExperiment(await write('minimal.json', MINIMAL), { set: [setting] }));
    expect(error.message).toContain(message);
    expect(error.remedy).toContain(remedy);
  });

  it('knows which keys a schedule has', async () => {
    const error = await failure(
      loadExperiment('quickstart', {
        set: ['training.learningRate={schedule: cosine}', 'training.learningRate.factor=0.1'],
      }),
    );
    expect(error.message).toContain("no key 'training.learningRate.factor'");
    expect(error.remedy).toContain('factor is of schedule steps');
  });

  it('names the file of a chain that has the fault, or the --set', async () => {
    await write('faulty.json', '{ "network": { "depth": 41, "growthRate": 12, "wide": 1 } }');
    const top = await write('child.json', '{ "extends": "faulty.json", "dataset": { "name": "svhn" } }');
    expect((await failure(loadExperiment(top))).message).toMatch(/faulty\.json: there is no key/);
    const set = ['dataset.nme=x'];
    expect((await failure(loadExperiment(top, { set }))).message).toMatch(/faulty\.json: /);
    await write('faulty.json', '{ "network": { "depth": 40, "growthRate": 12 } }');
    expect((await failure(loadExperiment(top, { set }))).message).toMatch(/^--set dataset\.nme=x: /);
  });

  it('says what is missing', async () => {
    const error = await failure(loadExperiment(await write('no-depth.json', '{ "network": {} }')));
    expect(error.message).toMatch(/no-depth\.json: network\.depth is missing$/);
    const empty = await failure(loadExperiment(await write('empty.json', '{}')));
    expect(empty.message).toContain('network is missing');
  });

  it.each(['epochs', '=3', 'a..b=3', '.=3', ''])('refuses --set %j', async (setting) => {
    const error = await failure(loadExperiment('quickstart', { set: [setting] }));
    expect(error.message).toContain('path.to.key=value');
    expect(error.remedy).toContain('--set training.epochs=10');
  });

  it('refuses a --set whose value is not YAML', async () => {
    const error = await failure(loadExperiment('quickstart', { set: ['dataset.augmentation=[shift'] }));
    expect(error.message).toContain('--set dataset.augmentation=[shift');
  });

  it.each([[[]], [null], ['text'], [{}], [{ name: 'x', network: 3 }]])(
    'refuses the stored experiment %j',
    async (values) => {
      const error = await failure(Promise.resolve().then(() => parseExperiment(values, 'run/config.json')));
      expect(error.message).toMatch(/^run\/config\.json: /);
    },
  );
});

describe('what is wrong with a file', () => {
  it('lists the configs when there is none of that name', async () => {
    const error = await failure(loadExperiment('quickstrt'));
    expect(error.message).toContain("no config 'quickstrt'");
    expect(error.remedy).toMatch(/^Did you mean 'quickstart'\?.*cifar10-bc-100-12.*svhn-40-12/);
    expect(error.remedy).not.toContain('schema');
  });

  it.each([
    ['missing-comma.json', '{\n "network": {"depth": 40\n "growthRate": 12}\n}', ':3:2: Expected'],
    ['open.json', '{\n "network": {\n', ':3:1: '],
    ['indent.yaml', 'network:\n  depth: 40\n   growthRate: 12\n', ':2:10: '],
    ['twice.yaml', 'network: {}\nnetwork: {}\n', ':2:1: Map keys must be unique'],
  ])('says the line and column: %s', async (name, text, message) => {
    const error = await failure(loadExperiment(await write(name, text)));
    expect(error.message).toContain(`${name}${message}`);
  });

  it.each([
    ['list.yaml', '- 1\n', 'a config is an object, and this is [1]'],
    ['nothing.yaml', '', 'a config is an object, and this is null'],
    ['alias.yaml', 'network: *net\n', 'net'],
    ['far.json', '{ "extends": "nowhere/base.json" }', 'extends "nowhere/base.json", which is not a file'],
    ['number.json', '{ "extends": 3 }', 'extends 3, which is not a file'],
  ])('refuses %s', async (name, text, message) => {
    const error = await failure(loadExperiment(await write(name, text)));
    expect(error.message).toContain(message);
    expect(error.message).toContain(name);
  });

  it('refuses a circle of extends, and shows it', async () => {
    await write('b.json', '{ "extends": "./c.json" }');
    await write('c.json', '{ "extends": "b.json" }');
    const error = await failure(loadExperiment(await write('a.json', '{ "extends": "b.json" }')));
    expect(error.message).toMatch(/a\.json → .*b\.json → .*c\.json → .*b\.json$/);
  });
});
