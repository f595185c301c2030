import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configNames } from '../../src/config/files.js';
import { configJsonSchema } from '../../src/config/json-schema.js';
import { loadExperiment } from '../../src/config/load.js';
import { readSweepFile } from '../../src/sweep/definition.js';
import { expandSweep } from '../../src/sweep/expand.js';
import { UserError } from '../../src/util/errors.js';
import { FUZZ_RUNS } from '../fuzz.js';
import { temporaryFolder } from '../program.js';

/** Keys that a config or a sweep file has somewhere, and some that none has. */
const KEYS = [
  ...new Set(JSON.stringify(configJsonSchema()).match(/(?<=")[a-zA-Z]+(?=":)/g)),
  ...[
    'configs',
    'config',
    'set',
    'grid',
    'seeds',
    'subset',
    '__proto__',
    'constructor',
    '<<',
    '',
    'a.b',
    '0',
  ],
];

const scalar = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1, 0.5, 12, 40, 1e9, -0, 1e308, Number.MAX_SAFE_INTEGER),
  fc.constantFrom<unknown>('densenet', 'resnet', 'cifar10', 'shift', 'cosine', 'quickstart', 'recipes/cifar'),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.double(),
);

/** Values such as a config holds, and worse. */
const values = fc.letrec<{ any: unknown; object: Record<string, unknown> }>((tie) => ({
  object: fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string({ maxLength: 5 })), tie('any'), {
    maxKeys: 6,
  }),
  any: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    scalar,
    tie('object'),
    fc.array(tie('any'), { maxLength: 4 }),
  ),
}));

const goodConfig = fc.constantFrom<Record<string, unknown>>(
  { network: { depth: 40, growthRate: 12 }, dataset: { name: 'cifar10' } },
  { extends: 'recipes/cifar', network: { family: 'resnet', depth: 110 }, dataset: { name: 'svhn' } },
);

/** A text that is nearly a config. */
const nearlyText = fc
  .tuple(
    fc.oneof(goodConfig, values.object),
    fc.nat(),
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.nat(8),
  )
  .map(([value, at, inserted, removed]) => {
    const text = JSON.stringify(value, null, 1);
    const place = at % (text.length + 1);
    return text.slice(0, place) + inserted + text.slice(place + removed);
  });

const YAML_PIECES = [
  'a: ',
  '&a ',
  '*a',
  '- ',
  '[',
  ']',
  '{',
  '}',
  ', ',
  '? ',
  ': ',
  '| ',
  '!!x ',
  '<<: ',
  '\n',
  '  ',
];
const yaml = fc
  .array(fc.oneof(fc.constantFrom(...YAML_PIECES), fc.constantFrom(...KEYS)), { maxLength: 30 })
  .map((pieces) => pieces.join(''));

/** Whether it works; otherwise it says in two lines what is wrong. */
async function works(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.kind).toBe('usage');
    expect(error.message.length).toBeLessThan(1000);
    expect(`${error.message}${error.remedy}`).not.toContain('\n');
    return false;
  }
}

test('any text as a config is read or refused', async () => {
  const taken = new Set<boolean>();
  const folder = await temporaryFolder();
  await fc.assert(
    fc.asyncProperty(fc.oneof(nearlyText, yaml), fc.constantFrom('c.json', 'c.yaml'), async (text, name) => {
      const path = join(folder, name);
      await writeFile(path, text);
      taken.add(await works(() => loadExperiment(path)));
    }),
    { numRuns: FUZZ_RUNS },
  );
  expect(taken.size, 'some are taken, some refused').toBe(2);
});

test('any value at any key of a good config is taken or refused', async () => {
  const taken = new Set<boolean>();
  const real = [
    'name',
    'description',
    'network.depth',
    'network.dropout',
    'dataset.augmentation',
    'training',
  ];
  const more = [
    'epochs',
    'batchSize',
    'accumulate',
    'seed',
    'learningRate.initial',
    'learningRate.milestones',
  ];
  const paths = fc.oneof(
    fc.constantFrom(...real, ...more.map((key) => `training.${key}`)),
    fc.array(fc.constantFrom(...KEYS), { minLength: 1, maxLength: 4 }).map((keys) => keys.join('.')),
  );
  const texts = fc.oneof(
    values.any.map((value) => JSON.stringify(value)),
    yaml,
  );
  const settings = fc.array(fc.tuple(paths, texts), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...configNames()), settings, async (name, all) => {
      taken.add(
        await works(() => loadExperiment(name, { set: all.map(([path, text]) => `${path}=${text}`) })),
      );
    }),
    { numRuns: FUZZ_RUNS },
  );
  expect(taken.size, 'some are taken, some refused').toBe(2);
});

test('any sweep file is expanded or refused', async () => {
  const taken = new Set<boolean>();
  const folder = await temporaryFolder();
  const path = join(folder, 'sweep.yaml');
  const sweep = fc.record(
    {
      configs: fc.oneof(values.any, fc.constant(['quickstart']), fc.constant(['quickstart', 'smoke-svhn'])),
      set: fc.oneof(values.any, fc.constant(['training.epochs=2'])),
      grid: fc.oneof(
        values.object,
        fc.dictionary(fc.constantFrom('network.depth', 'training.seed'), values.any),
      ),
      seeds: fc.oneof(values.any, fc.array(fc.nat(), { minLength: 1, maxLength: 3 })),
    },
    { requiredKeys: ['configs'] },
  );
  const texts = fc.oneof(
    sweep.map((value) => JSON.stringify(value)),
    nearlyText,
    yaml,
  );
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      await writeFile(path, text);
      taken.add(await works(async () => expandSweep(await readSweepFile(path))));
    }),
    { numRuns: FUZZ_RUNS },
  );
  expect(taken.size, 'some are taken, some refused').toBe(2);
});
