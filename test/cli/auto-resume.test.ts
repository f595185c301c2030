import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bits, type Ended, run, start, temporaryFolder } from '../program.js';

/** Ten steps an epoch. */
const TRAIN = [
  'train',
  'smoke-fashion-mnist-mini',
  '--subset=320',
  '--set=training.batchSize=32',
  '--set=training.epochs=3',
  '--engine=native',
  '--threads=1',
];
const AUTO = [...TRAIN, '--auto-resume'];
const ENDLESS = [...AUTO, '--set=training.epochs=100000'];

async function onlyRun(folder: string): Promise<string> {
  const experiment = join(folder, 'results', 'runs', 'smoke-fashion-mnist-mini');
  // A claim that is not given back would be listed too.
  const runs = await readdir(experiment);
  expect(runs).toHaveLength(1);
  return join(experiment, runs[0]!);
}

const result = async (path: string) => JSON.parse(await readFile(join(path, 'result.json'), 'utf8'));

test('the same command starts, goes on at its limits, finishes and then leaves a run: the bits are those of one go', async () => {
  const folder = await temporaryFolder();
  for (const epochs of [0, 1, 2]) {
    const { code, stdout } = await run(folder, [...AUTO, '--max-steps=9']);
    expect(stdout).toContain('Stopped and saved. Resume with: ');
    expect(code).toBe(75);
    expect(await result(await onlyRun(folder))).toMatchObject({ status: 'interrupted', epochs });
  }
  const last = await run(folder, [...AUTO, '--max-steps=3']);
  expect(last.stdout).toContain('Done in');
  expect(last.code).toBe(0);
  const path = await onlyRun(folder);
  expect(await result(path)).toMatchObject({ status: 'finished', subset: 320 });

  const other = await temporaryFolder();
  expect((await run(other, TRAIN)).code).toBe(0);
  expect(await bits(path)).toEqual(await bits(await onlyRun(other)));

  const again = await run(folder, AUTO);
  expect(again.stdout).toMatch(/^Nothing to do: the run smoke-fashion-mnist-mini\/.* is finished\.\n$/);
  expect(again.code).toBe(0);
});

test('--max-time saves in time, after one step at least', async () => {
  const folder = await temporaryFolder();
  const { code, stdout } = await run(folder, [...ENDLESS, '--max-time=1s']);
  expect(stdout).toContain('Stopped and saved.');
  expect(code).toBe(75);
  const checkpoint = join(await onlyRun(folder), 'checkpoint', 'last.json');
  expect(JSON.parse(await readFile(checkpoint, 'utf8'))).toMatchObject({ epochs: 0, stepsInEpoch: 1 });
});

test('of many that are told to train a run at once, one does, and the others say so', async () => {
  const folder = await temporaryFolder();
  const all = Array.from({ length: 4 }, () => start(folder, ENDLESS));
  const others = await new Promise<Ended[]>((resolve) => {
    const ended: Ended[] = [];
    for (const one of all) {
      void one.ended.then((end) => {
        if (ended.push(end) === all.length - 1) resolve(ended);
      });
    }
  });
  for (const { code, stderr } of others) {
    expect(stderr).toMatch(/^warning: left alone: .* is being trained by a process that is still alive/);
    expect(code).toBe(75);
  }
  const one = all.find(({ process }) => process.exitCode === null)!;
  await one.seen(/Run folder/);
  one.process.kill('SIGINT');
  expect((await one.ended).code).toBe(130);
  await onlyRun(folder);
});

test('a run of another host is left while that gives signs of life; then it goes on, and the other notices', async () => {
  const folder = await temporaryFolder();
  const first = start(folder, ENDLESS);
  await first.seen(/epoch 1\//);
  // What would be seen from another host: nothing of the process.
  first.process.kill('SIGSTOP');
  const path = await onlyRun(folder);
  const { process: owner, ...rest } = await result(path);
  const elsewhere = JSON.stringify({ ...rest, process: { ...owner, host: 'elsewhere' } });
  await writeFile(join(path, 'result.json'), elsewhere);
  const left = await run(folder, [...ENDLESS, '--max-steps=1']);
  expect(left.stderr).toMatch(/^warning: left alone: .* on elsewhere, which cannot be seen from here/);
  expect(left.code).toBe(75);

  const hourAgo = new Date(Date.now() - 3600_000);
  for (const file of ['result.json', 'environment.json', 'epochs.csv', 'checkpoint/last.safetensors']) {
    await utimes(join(path, file), hourAgo, hourAgo);
  }
  const second = start(folder, ENDLESS);
  await second.seen(/Run folder/);
  first.process.kill('SIGCONT');
  const { code, stderr } = await first.ended;
  expect(stderr).toMatch(/^warning: left alone: the run .* was taken over by process \d+ on /);
  expect(code).toBe(75);
  second.process.kill('SIGUSR2');
  expect((await second.ended).code).toBe(75);
  expect(await result(path)).toMatchObject({ status: 'interrupted' });
});

test('a run that diverged is left; without --auto-resume an unfinished one is named, and another begun', async () => {
  const folder = await temporaryFolder();
  const wild = ['--set=training.learningRate.initial=1000', '--set=training.weightDecay=1'];
  expect((await run(folder, [...AUTO, ...wild])).code).toBe(5);
  const again = await run(folder, [...AUTO, ...wild]);
  expect(again.stderr).toMatch(/^error: the run .* has diverged, and would again\n/);
  expect(again.code).toBe(5);

  expect((await run(folder, [...TRAIN, '--max-steps=1'])).code).toBe(75);
  const { stdout } = await run(folder, [...TRAIN, '--max-steps=1']);
  expect(stdout).toMatch(
    /There is a run of this config that did not finish: .*, 0 of 3 epochs\. This is a new one\.\n/,
  );
  expect(stdout).toMatch(/To resume that one instead: .* train --resume smoke-fashion-mnist-mini\//);
});
