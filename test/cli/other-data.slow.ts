import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { writeCifar10 } from '../datasets/support/cifar10.js';
import { startOn } from '../mpi/mpirun.js';
import { run, temporaryFolder } from '../program.js';

vi.setConfig({ testTimeout: 400_000 });

const TRAIN = [
  'train',
  'smoke-cifar10',
  '--subset=64',
  '--set=training.epochs=2',
  '--engine=native',
  '--threads=1',
];

/** A folder with two folders of data, `0` and `1` (the ranks of two processes): CIFAR-10 with different images. */
async function withTwoDatasets(): Promise<string> {
  const folder = await temporaryFolder();
  for (const data of ['0', '1']) {
    const files = join(folder, 'files', data);
    await writeCifar10(files, data);
    const fetched = await run(folder, ['data', 'fetch', 'cifar10', '--from', files, '--data', data]);
    expect(fetched.code, fetched.stderr).toBe(0);
  }
  return folder;
}

const runs = (folder: string) => readdir(join(folder, 'results', 'runs', 'smoke-cifar10'));

test('a run is resumed on its own data only; on others --auto-resume begins another', async () => {
  const folder = await withTwoDatasets();
  expect((await run(folder, [...TRAIN, '--data=0', '--max-steps=1'])).code).toBe(75);

  const refused = await run(folder, ['train', '--resume=smoke-cifar10', '--data=1']);
  expect(refused.stderr).toMatch(
    /^error: the run smoke-cifar10\/\S+ was trained on other data: cifar10, digest (\w{12}); here is cifar10, digest (?!\1)\w{12}\nSay with --data /m,
  );
  expect(refused.code).toBe(3);

  expect((await run(folder, [...TRAIN, '--data=1', '--auto-resume'])).code).toBe(0);
  expect(await runs(folder)).toHaveLength(2);
  expect((await run(folder, [...TRAIN, '--data=0', '--auto-resume'])).code).toBe(0);
  expect(await runs(folder)).toHaveLength(2);
});

test('processes that do not have the same data do not train together', async () => {
  const folder = await withTwoDatasets();
  const ownData = ['sh', '-c', 'DENSENET_DATA=$OMPI_COMM_WORLD_RANK "$@"', 'sh'];
  const args = [...TRAIN, '--set=training.accumulate=2'];
  const { code, stderr } = await startOn(2, folder, args, {}, ownData).ended;
  expect(stderr.match(/^error: .*/gm)).toEqual([
    expect.stringMatching(/^error: process 2 of 2, on \S+, has other data than process 1, on \S+$/),
  ]);
  expect(code).toBe(3);
});
