import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fidelityMarkdown, programs, readFidelity } from '../../src/published/fidelity.js';
import { findRunFolders } from '../../src/runs/folders.js';
import { temporaryFolder } from '../program.js';
import { makeRun } from '../runs/make-run.js';

const EXPERIMENT = 'smoke-fashion-mnist-mini';

/** Published results: runs of seeds 1 and 2, and of PyTorch the given last errors by seed. */
async function published(native: readonly number[][], pytorch: Readonly<Record<number, number[]>>) {
  const folder = await temporaryFolder();
  let data = '';
  for (const [index, errors] of native.entries()) {
    const set = [`training.seed=${index + 1}`, `training.epochs=${errors.length}`];
    const run = await makeRun(folder, EXPERIMENT, { errors, set });
    data = run.readEnvironment().dataset!.digest;
  }
  const peers = join(folder, 'pytorch', EXPERIMENT);
  await mkdir(peers, { recursive: true });
  for (const [seed, errors] of Object.entries(pytorch)) {
    const rows = errors.map((error, index) => `${index + 1},0.1,0.5,${error}`);
    await writeFile(
      join(peers, `seed-${seed}.csv`),
      ['epoch,learning_rate,train_loss,test_error', ...rows, ''].join('\n'),
    );
    await writeFile(join(peers, `seed-${seed}.json`), JSON.stringify({ data }));
  }
  return folder;
}

test('means are over seeds, by epoch, and one difference has its interval', async () => {
  const folder = await published(
    [
      [30, 21],
      [32, 23],
    ],
    { 10: [31, 20], 2: [35, 24] },
  );
  const fidelity = await readFidelity(folder, EXPERIMENT);
  const seeds = programs(fidelity).map(({ name, curves }) => [name, ...curves.map(({ seed }) => seed)]);
  expect(seeds).toEqual([
    ['native engine', 1, 2],
    ['PyTorch', 2, 10],
  ]);
  const text = fidelityMarkdown(fidelity);
  expect(text).toMatch(/^\| 1 \| .* \| 31\.00 ± 1\.41 \| 33\.00 ± 2\.83 \|$/m);
  expect(text).toMatch(/^\| 2 \| .* \| 22\.00 ± 1\.41 \| 22\.00 ± 2\.83 \|$/m);
  // scipy.stats.ttest_ind([21, 23], [24, 20], equal_var=False).confidence_interval()
  expect(text).toMatch(/, test error 0\.00 \[−13\.84, \+13\.84\] points\.$/m);
});

test('one seed has no spread, and the difference no interval', async () => {
  const text = fidelityMarkdown(await readFidelity(await published([[30]], { 1: [29.5] }), EXPERIMENT));
  expect(text).toMatch(/^\| 1 \| .* \| 30\.00 \| 29\.50 \|$/m);
  expect(text).toContain(', test error +0.50 points.');
});

test('each engine is held against PyTorch by itself, with the same seeds', async () => {
  const folder = await published([[30], [32]], { 1: [29.5] });
  const [, second] = await findRunFolders(folder, EXPERIMENT);
  const environment = second!.readEnvironment();
  const engine = { ...environment.engine, name: 'tensorflow', device: 'gpu' };
  await writeFile(join(second!.path, 'environment.json'), JSON.stringify({ ...environment, engine }));
  const fidelity = await readFidelity(folder, EXPERIMENT);
  expect(programs(fidelity).map(({ name }) => name)).toEqual([
    'native engine',
    'TensorFlow engine (GPU)',
    'PyTorch',
  ]);
  const text = fidelityMarkdown(fidelity);
  expect(text).toMatch(/^\| 1 \| .* \| 30\.00 \| 32\.00 \| 29\.50 \|$/m);
  expect(text).toContain('After the last epoch, TensorFlow engine (GPU) minus PyTorch: ');
  expect(text).toContain(', test error +2.50 points.');
});

test('trainings that cannot be compared are refused', async () => {
  const longer = await published([[30, 20]], { 1: [30] });
  await expect(readFidelity(longer, EXPERIMENT)).rejects.toThrow('of other lengths');
  const damaged = await published([[30]], { 1: [Number.NaN] });
  await expect(readFidelity(damaged, EXPERIMENT)).rejects.toThrow('NaN');
  const others = await published([[30]], { 1: [30] });
  await writeFile(join(others, 'pytorch', EXPERIMENT, 'seed-1.json'), JSON.stringify({ data: 'other' }));
  await expect(readFidelity(others, EXPERIMENT)).rejects.toThrow('other images');
});
