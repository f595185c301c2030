import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { parseEvents } from '../../src/runs/events.js';
import { broken, writeMiniArchives } from '../datasets/support/imagenet-mini.js';
import { bits, run, temporaryFolder } from '../program.js';
import { startOn } from './mpirun.js';

// The first run may have to build the engine, on a busy machine.
vi.setConfig({ testTimeout: 400_000 });

async function runFolder(folder: string, results: string, experiment: string): Promise<string> {
  const runs = join(folder, results, 'runs', experiment);
  return join(runs, (await readdir(runs)).at(-1)!);
}

/** Trains on so many processes; returns what must be the same for all numbers of them. */
async function trained(folder: string, experiment: string, processes: number, ...args: string[]) {
  const results = `on-${processes}`;
  const command = ['train', ...args, '--threads=1', `--results=${results}`];
  const { code, stdout, stderr } = await startOn(processes, folder, command).ended;
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  const path = await runFolder(folder, results, experiment);
  const { last, skippedImages } = JSON.parse(await readFile(join(path, 'result.json'), 'utf8'));
  const skipped = [...(skippedImages ?? [])].sort();
  // One process writes the log.
  const log = parseEvents(await readFile(join(path, 'log.jsonl'), 'utf8'));
  expect(new Set(log.map(({ session }) => session)).size).toBe(1);
  expect(await readdir(join(path, 'tensorboard'))).toHaveLength(1);
  return { outcome: { ...(await bits(path)), last, skipped }, stdout, stderr };
}

const MINI = ['--config=smoke-fashion-mnist-mini', '--set=training.accumulate=4'];
const DROPOUT = '--set=network.dropout=0.2';
const DEPTH = '--set=network={family: resnet, depth: 20, survival: 0.5}';
const VALIDATION = '--set=dataset.validation=100';
const AUGMENTED = '--set=dataset.augmentation=[shift,mirror]';
/** The last batch of an epoch has 3 images: fewer than micro-batches. */
const ODD = '--subset=195';

test.each([
  [
    'native, dropout, validation',
    ['--engine=native', DROPOUT, VALIDATION, AUGMENTED, '--subset=300'],
    [2, 4],
  ],
  ['native, an odd last batch', ['--engine=native', DROPOUT, ODD], [2, 4]],
  ['native, stochastic depth', ['--engine=native', DEPTH, ODD], [2, 4]],
  ['TensorFlow, dropout', ['--engine=tensorflow', DROPOUT, ODD], [2, 4]],
  [
    'TensorFlow, stochastic depth, validation',
    ['--engine=tensorflow', DEPTH, VALIDATION, '--subset=130'],
    [2],
  ],
])('accumulate: 4 comes to the same bits on 1, 2 and 4 processes: %s', async (_, args, numbers) => {
  const folder = await temporaryFolder();
  const on = (processes: number) =>
    trained(folder, 'smoke-fashion-mnist-mini', processes, ...MINI, '--device=cpu', ...args);
  const { outcome } = await on(1);
  for (const processes of numbers) expect((await on(processes)).outcome).toEqual(outcome);
});

test('images that cannot be read move the borders of micro-batches, and are named once', async () => {
  const folder = await temporaryFolder();
  const bad = ['n01440764_2.JPEG', 'n02119789_1.JPEG', 'ILSVRC2012_val_00000007.JPEG'];
  await writeMiniArchives(join(folder, 'from'), broken(...bad));
  const config = {
    name: 'mini',
    network: { depth: 7, growthRate: 4, blocks: [1, 1], bottleneck: true, compression: 0.5 },
    dataset: { name: 'imagenet', augmentation: ['sized-crop', 'mirror'] },
    training: { epochs: 2, batchSize: 8, accumulate: 4, learningRate: { schedule: 'steps', initial: 0.05 } },
  };
  await writeFile(join(folder, 'mini.json'), JSON.stringify(config));
  const fetched = await run(folder, ['data', 'fetch', 'imagenet', '--from', 'from', '--data', 'data']);
  expect(fetched.code, fetched.stderr).toBe(0);
  const given = ['--config=mini.json', '--data=data', '--engine=native', '--workers=1'];
  const on = (processes: number) => trained(folder, 'mini', processes, ...given, '--skip-bad-images');
  const { outcome } = await on(1);
  expect(outcome.skipped).toHaveLength(3);
  for (const processes of [2, 4]) {
    const other = await on(processes);
    expect(other.outcome).toEqual(outcome);
    for (const name of bad) expect(other.stderr.split(`left out the image ${name}`)).toHaveLength(2);
  }

  // Without the option the process that meets it fails, and all with it.
  const stopped = await startOn(4, folder, ['train', ...given, '--results=stopped']).ended;
  expect(stopped.code).toBe(3);
  expect(stopped.stderr.match(/^error: .*/gm)).toEqual([expect.stringContaining('cannot read the image')]);
});
