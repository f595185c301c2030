import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../program.js';

const MINIMAL = '{ "network": { "depth": 40, "growthRate": 12 }, "dataset": { "name": "cifar10" } }';
const keys = (count: number) => Array.from({ length: count }, (_, i) => `"k${i}": 1`).join(', ');
const MANY_VALUES = `[${Array.from({ length: 1000 }, (_, i) => i).join(', ')}]`;

const FILES: Readonly<Record<string, string | Buffer>> = {
  'good.json': MINIMAL,
  'bom.json': `\ufeff${MINIMAL}`,
  'bom.yaml': '\ufeffnetwork: { depth: 40, growthRate: 12 }\ndataset: { name: cifar10 }\n',
  'bom-sweep.json': '\ufeff{ "configs": ["nothing"] }',
  'large.json': `{ "description": "${'x'.repeat(2 ** 20)}" }`,
  'many.json': `{ ${keys(70_000)} }`,
  'many.yaml': `{ ${keys(70_000)} }`,
  'many-errors.yaml': `[ ${'"a" '.repeat(200_000)}`,
  'repeated.json': `{ ${keys(1000)}, "k7": 1 }`,
  'list.json': `[${'"long", '.repeat(1000)}1]`,
  'deep.json': '['.repeat(20_000) + ']'.repeat(20_000),
  'deep.yaml': '['.repeat(5000) + ']'.repeat(5000),
  'circle.yaml': 'network: &a { blocks: [*a] }',
  'bomb.yaml': `a: &a [${'1,'.repeat(9)}]\nb: &b [${'*a,'.repeat(9)}]\nc: &c [${'*b,'.repeat(9)}]\nd: [${'*c,'.repeat(9)}]`,
  'merge.yaml': 'base: &b { depth: 40 }\nnetwork: { <<: *b }',
  'tag.yaml': 'network: !!python/object:os.system x',
  'latin.yaml': Buffer.from('description: caf\xe9', 'latin1'),
  'extends-pipe.yaml': 'extends: ./pipe',
  'extends-nul.json': '{ "extends": "a\\u0000b" }',
  'extends-long.json': `{ "extends": "${'x'.repeat(300)}" }`,
  'grid.yaml': `configs: [quickstart]\ngrid: { training.seed: ${MANY_VALUES}, network.depth: ${MANY_VALUES} }`,
  'circle-sweep.yaml': 'configs: &a [*a]',
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-test-'));
  for (const [name, content] of Object.entries(FILES)) await writeFile(join(folder, name), content);
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  await symlink('loop.json', join(folder, 'loop.json'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('a config that is fine', () => {
  test.each([['bom.json'], ['bom.yaml']])('%s', async (name) => {
    const { code, stdout, stderr } = await run(folder, ['describe', name, '--json']);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ network: 'DenseNet (L=40, k=12)' });
  });
});

const describing = (config: string, ...set: string[]) => [
  'describe',
  config,
  ...set.map((text) => `--set=${text}`),
];
const SMALL = ['train', '--config=quickstart', '--subset=64', '--device=cpu'];
/** What would be missed if it were looked for first. */
const NO_DATA = ['--data=nowhere', '--no-setup'];
const STEPS = 'training.learningRate.schedule=steps';

/** Arguments, what the first line says, what the second offers, the exit code if it is not 2. */
const CASES: [args: string[], says: RegExp, offers: RegExp, code?: number][] = [
  [describing('large.json'), /large\.json has 1\.0 MB, more than/, /JSON or YAML/],
  // What could take longer than a second to parse is not.
  [describing('many.json'), /many\.json: it has more than 50,000 words and signs/, /Repair the JSON/],
  [describing('many.yaml'), /many\.yaml: it has more than 50,000 words and signs/, /Repair the YAML/],
  [describing('many-errors.yaml'), /it has more than 50,000 words and signs/, /Repair the YAML/],
  [['sweep', 'many.yaml'], /many\.yaml: it has more than 50,000 words and signs/, /Repair the YAML/],
  [describing('repeated.json'), /repeated\.json:1:\d+: Map keys must be unique: 'k7'/, /Repair the JSON/],
  [describing('list.json'), /a config is an object, and this is \["long","long".{0,50}…$/, /configs\.md/],
  [describing('deep.json'), /deep\.json: it is nested more than 20 levels deep/, /Repair the JSON/],
  [describing('deep.yaml'), /deep\.yaml: it is nested more than 20 levels deep/, /Repair the YAML/],
  [describing('circle.yaml'), /circle\.yaml: .* an alias holds itself/, /Repair the YAML/],
  [describing('bomb.yaml'), /bomb\.yaml: Excessive alias count/, /Repair the YAML/],
  [describing('merge.yaml'), /there is no key '(base|network\.<<)'/, /Valid|extends/],
  [describing('tag.yaml'), /tag\.yaml:1:10: Unresolved tag/, /Repair the YAML/],
  [describing('latin.yaml'), /latin\.yaml: it is not UTF-8 text/, /JSON or YAML/],
  [describing('pipe'), /pipe is a FIFO, not a file/, /text file/],
  [describing('/dev/zero'), /\/dev\/zero is a device, not a file/, /text file/],
  [describing('loop.json'), /loop\.json: too many symbolic links.*\(ELOOP\)/, /links/],
  [describing('good.json/below.json'), /cannot look at .*good\.json\/below\.json: not a directory/, /path/],
  [describing('x'.repeat(300)), /cannot look at .*name too long \(ENAMETOOLONG\)/, /Shorten/],
  [describing('extends-pipe.yaml'), /pipe is a FIFO, not a file/, /text file/],
  [describing('extends-nul.json'), /extends-nul\.json: extends "a\\u0000b"/, /recipes\/cifar/],
  [describing('extends-long.json'), /cannot look at .*ENAMETOOLONG/, /Shorten/],
  [['sweep', 'bom-sweep.json'], /there is no config 'nothing'/, /Valid/],
  [['sweep', 'grid.yaml'], /would be 1,000,000 runs: 1 configs × 1,000,000 points/, /10,000 runs/],
  [['sweep', 'circle-sweep.yaml'], /circle-sweep\.yaml: .* an alias holds itself/, /Repair the YAML/],
  [['sweep', 'pipe'], /pipe is a FIFO, not a file/, /text file/],
  [['sweep', 'large.json'], /large\.json has 1\.0 MB, more than/, /text file/],
  [describing('good.json', 'a=*x'), /^error: --set a=\*x: Unresolved alias/, /--set training\.epochs=10/],
  [describing('good.json', 'network.blocks=&x [*x]'), /an alias holds itself/, /--set training\.epochs=10/],
  [describing('good.json', 'network.depth=1000000'), /network\.depth must be at most 10000/, /layers/],
  [describing('good.json', 'training.batchSize=1e9'), /batchSize must be at most 1000000/, /Images/],
  [describing('good.json', 'network.dropout=0.9999999'), /dropout must be at most 0\.95/, /Probability/],
  [describing('good.json', 'training.momentum=0.99999999'), /momentum must be at most 0\.9999/, /μ/],
  [describing('good.json', `name=${'x'.repeat(200)}`), /name must have at most 100 characters/, /folder/],
  [describing('good.json', 'dataset.augmentation=[mirror, mirror]'), /augmentation has .* twice/, /shift/],
  [
    describing('good.json', STEPS, 'training.learningRate.milestones=[0.75, 0.5]'),
    /milestones must increase/,
    /fractions/,
  ],
  [
    describing('good.json', 'training.learningRate=0.1'),
    /learningRate must be an object, and is 0\.1/,
    /Did you mean training\.learningRate\.initial\?/,
  ],
  [
    describing('good.json', 'training.learningRate.warmup={epochz: 1, rate: 0.01}'),
    /no key 'training\.learningRate\.warmup\.epochz'/,
    /Did you mean 'epochs'\? Valid: epochs, rate\./,
  ],
  [
    describing('good.json', 'training.learningRate.warmup={epochs:1,rate:0.01}'),
    /no key 'training\.learningRate\.warmup\.epochs:1'/,
    /'epochs: 1', with a space/,
  ],
  [
    describing('good.json', 'training.learningRate.warmup={epochs: 1, rate: -0.01}'),
    /warmup\.rate must be more than 0, and is -0\.01/,
    /above 0/,
  ],
  [[...SMALL, '--set=network.growthRate=100000'], /at least 57\.5 TB/, /smaller network/, 4],
  [[...SMALL, ...NO_DATA, '--set=training.precision=tf32'], /tf32 is a precision of NVIDIA GPUs/, /float32/],
  [[...SMALL, ...NO_DATA, '--set=training.compile=true'], /compile is for the TensorFlow engine/, /false/],
  [[...SMALL, '--set=network.depth=9994', '--set=network.growthRate=1000'], /at least/, /smaller/, 4],
];

test.each(CASES)('%j gets two lines', async (args, says, offers, code = 2) => {
  const { code: exit, stderr } = await run(folder, args);
  const lines = stderr.trim().split('\n').slice(-2);
  expect(lines[0]).toMatch(says);
  expect(lines[1]).toMatch(offers);
  expect(exit).toBe(code);
  expect(stderr).not.toContain('    at ');
  expect(stderr.length).toBeLessThan(4000);
});
