import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadExperiment } from '../../src/config/load.js';
import { initialValues } from '../../src/networks/parameters.js';
import { weightsFile } from '../../src/networks/weights.js';
import { networkOf } from '../../src/training/model.js';
import { run } from '../program.js';

/** Arguments, exit code, what the first line must say, what the second must offer. */
type Case = readonly [args: string[], code: number, says: RegExp, offers: RegExp];

const SMOKE = '--config=smoke-fashion-mnist-mini';

const CASES: Case[] = [
  [['train'], 2, /needs a config or --resume/, /quickstart/],
  [['train', '--config=quikstart'], 2, /quikstart/, /quickstart/],
  [['train', SMOKE, '--set=training.epoch=3'], 2, /training\.epoch/, /Did you mean 'epochs'/],
  [['train', SMOKE, '--set=network.depth=41'], 2, /41/, /40.*46/],
  [['train', SMOKE, '--set=network.compression=1.5'], 2, /network\.compression/, /0.*1/],
  [
    ['train', SMOKE, '--engine=native', '--device=gpu'],
    2,
    /native engine runs on the CPU only/,
    /tensorflow/,
  ],
  [['train', SMOKE, '--resume=nothing'], 2, /no run 'nothing'/, /densenet train quickstart/],
  [['train', SMOKE, '--init=missing.safetensors'], 3, /missing\.safetensors/, /\.safetensors/],
  [['train', SMOKE, '--init=short.safetensors'], 3, /short\.safetensors/, /write or download/],
  [['train', SMOKE, '--init=other.safetensors'], 3, /other\.safetensors.*classifier\.weight/, /same network/],
  [['train', SMOKE, '--init-skip=classifier'], 2, /--init-skip needs --init/, /--init FILE/],
  [
    ['train', SMOKE, '--init=other.safetensors', '--init-skip=fc'],
    2,
    /no parameter 'fc'/,
    /Valid: .*classifier/,
  ],
  [['train', '--config=cifar10-40-12', '--data=empty', '--no-setup'], 3, /cifar10/i, /data fetch cifar10/],
  [['train', '--config=broken.json'], 2, /broken\.json:2:14: /, /Repair the JSON at line 2/],
  [['train', '--config=twice.json'], 2, /twice\.json:1:\d+: .*unique/, /Repair the JSON at line 1/],
  [['train', '--config=broken.yaml'], 2, /broken\.yaml:2:12: /, /Repair the YAML at line 2/],
  [
    ['train', '--config=cifar10-40-12', '--dry-run', '--set=dataset.validation=60000'],
    2,
    /hold out 60000/,
    /49999/,
  ],
  [['train', SMOKE, '--dry-run', '--init=missing.safetensors'], 3, /missing\.safetensors/, /\.safetensors/],
  [
    ['train', SMOKE, '--dry-run', '--device=cpu', '--set=training.precision=tf32'],
    2,
    /tf32 is a precision of NVIDIA GPUs/,
    /float32/,
  ],
  [
    [
      'train',
      '--config=cifar10-resnet-stochastic-110',
      ...['--set=training.compile=true', '--engine=tensorflow', '--device=cpu', '--data=empty', '--no-setup'],
    ],
    2,
    /stochastic depth cannot be compiled/,
    /training\.compile/,
  ],
  [['train', SMOKE, '--take-over'], 2, /--take-over needs --resume or --auto-resume/, /--resume RUN/],
  [['sweep', 'table2', '--dry-run', '--status'], 2, /--dry-run.*cannot be used with.*--status/, /--help/],
  [['sweep', 'table2', '--launcher=slurm', '--jobs=2'], 2, /--jobs is for runs.*started here/, /--max-jobs/],
  [['bench', '--set=network.depth=22'], 2, /--set network\.depth=22 needs --config/, /--depth/],
  [['eval'], 2, /either a run, or --config together with --weights/, /densenet eval/],
  [
    ['eval', 'any', '--set=training.seed=2'],
    2,
    /--set training\.seed=2 cannot be used with a run/,
    /Leave it out/,
  ],
  [['train', SMOKE, '--results=short.safetensors'], 3, /short\.safetensors.*ENOTDIR/, /--results/],
  [['train', '--config=orphan.json'], 2, /extends "none\.json"/, /as seen from \.\//],
  [['sweep', 'tabel2'], 2, /no sweep 'tabel2'/, /Did you mean 'table2'/],
  [['sweep', './table2'], 2, /no sweep '\.\/table2'/, /Valid: .*table2/],
  [['eval', 'nothing'], 2, /no run 'nothing'/, /train/],
  ...[
    ['train', '--output', '--results'],
    ['sweep', '--output', '--results'],
    ['table', '--output', '--results'],
    ['doctor', '--output', '--results'],
    ['runs list', '--output', '--results'],
    ['eval', '--predictions', '--output'],
    ['export', '--out', '--output'],
    ['figure', '--to', '--output'],
  ].map(([command, former, now]): Case => {
    const args = [...command!.split(' '), former!, 'somewhere'];
    return [args, 2, new RegExp(`option ${former} is called ${now} now`), new RegExp(`Write ${now}`)];
  }),
  [['eval', SMOKE, '--weights=none', '--output=short.safetensors/x.csv'], 3, /cannot write.*ENOTDIR/, /path/],
  [['predict', SMOKE, '--weights=none', `${'a'.repeat(300)}.png`], 3, /cannot read a+.*ENAMETOOLONG/, /name/],
  [['bench', 'peers', '--json'], 2, /--json is not for bench peers/, /bench peers --help/],
  [['bench', 'peers', '--engine=native'], 2, /--engine is not for bench peers/, /bench peers --help/],
  [['bench', 'input', '--steps=3'], 2, /--steps is not for bench input/, /bench input --help/],
  [['eval', 'any', '--output=empty'], 2, /--output.*'empty' is invalid.*a folder.*--results/, /--help/],
];

describe('bad input gets one clear line and what to do', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'densenet-test-'));
    await mkdir(join(folder, 'empty'));
    await writeFile(join(folder, 'broken.json'), '{\n  "network": }');
    await writeFile(join(folder, 'twice.json'), '{"name": "a", "name": "b"}');
    await writeFile(join(folder, 'broken.yaml'), 'network:\n  depth: [1');
    await writeFile(join(folder, 'orphan.json'), '{"extends": "none.json"}');
    await writeFile(join(folder, 'short.safetensors'), 'short');
    const other = networkOf(await loadExperiment('smoke-cifar100'));
    await writeFile(join(folder, 'other.safetensors'), weightsFile(other, initialValues(other, 1)));
  });

  afterAll(() => rm(folder, { recursive: true }));

  test.each(CASES)('%j exits %i', async (args, code, says, offers) => {
    const { code: exit, stderr } = await run(folder, args);
    const lines = stderr.trim().split('\n');
    expect(lines, stderr).toHaveLength(2);
    expect(lines[0]).toMatch(/^error: /);
    expect(lines[0]).toMatch(says);
    expect(lines[1]).toMatch(offers);
    expect(exit).toBe(code);
  });

  test('unknown commands, options and choices exit 2 and name the nearest', async () => {
    for (const [args, nearest] of [
      [['trian'], /Did you mean 'train'\?/],
      [['train', '--confg', 'quickstart'], /Did you mean '--config/],
      [['train', '--engine=cuda'], /auto, native, tensorflow/],
      [['train', '--seed=-1'], /whole number from 0\./],
      [['train', '--seed='], /--seed <n>.*It is empty\./],
      [['train', '--data='], /--data <dir>.*It is empty\./],
      [['eval', ''], /'run'.*It is empty\./],
      [['sweep', '--config=a,,b'], /One of the values is empty/],
      [['train', '--subset=1e3'], /whole number from 1\./],
      [['train', '--threads=1e9'], /whole number from 1 to 1024\./],
      [['train', '--threads=50000'], /whole number from 1 to 1024\./],
    ] as const) {
      const { code, stderr } = await run(folder, args);
      expect(stderr).toMatch(nearest);
      expect(code).toBe(2);
    }
  });

  test('~/ is the home folder where a shell leaves it', async () => {
    await writeFile(join(folder, 'home.yaml'), 'extends: quickstart\nname: at-home\n');
    const args = ['--config=~/home.yaml', '--data=~/data', '--dry-run', '--no-measure', '--json'];
    const { code, stdout } = await run(folder, ['train', ...args], { HOME: folder });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ experiment: { name: 'at-home' } });
    const { stdout: text } = await run(folder, ['data', 'list', '--data=~/data', '--json'], { HOME: folder });
    expect(JSON.parse(text).folder).toBe(join(folder, 'data'));
  });
});
