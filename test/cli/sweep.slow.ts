import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findRunFolder } from '../../src/runs/folders.js';
import { packageRoot } from '../../src/util/package.js';
import { bits, run, start, temporaryFolder } from '../program.js';

const MINI = ['--set=training.batchSize=32', '--engine=native'];
const THREE_EPOCHS = ['--set=training.epochs=3', '--subset=320', ...MINI];
const CONFIG = '--config=smoke-fashion-mnist-mini';

describe('sweep', () => {
  test('goes on after a failure, says so in its exit code, and skips what is finished', async () => {
    const folder = await temporaryFolder();
    const smoke = join(packageRoot, 'configs', 'smoke-fashion-mnist-mini.json');
    const wild = { extends: smoke, training: { learningRate: { initial: 1000 }, weightDecay: 1 } };
    await writeFile(join(folder, 'wild.json'), JSON.stringify(wild));
    const args = ['--config=wild.json,smoke-fashion-mnist-mini', '--subset=320', ...MINI, '--json'];
    const first = await run(folder, ['sweep', ...args, '--seeds=1,2', '--jobs=2']);
    expect(first.code).toBe(5);
    expect(first.stderr).toContain('wild seed 1: error: the training loss is');
    expect(JSON.parse(first.stdout)).toMatchObject([
      { experiment: 'wild', seed: '1', status: 'diverged', epochs: '0/1' },
      { experiment: 'wild', seed: '2', status: 'diverged', epochs: '0/1' },
      { experiment: 'smoke-fashion-mnist-mini', seed: '1', status: 'finished', epochs: '1/1' },
      { experiment: 'smoke-fashion-mnist-mini', seed: '2', status: 'finished', epochs: '1/1' },
    ]);
    const again = await run(folder, ['sweep', ...args, '--seeds=2,3']);
    expect(again.code).toBe(5);
    expect(JSON.parse(again.stdout).map(({ status }: { status: string }) => status)).toEqual([
      'diverged before',
      'diverged',
      'finished before',
      'finished',
    ]);
  });

  test('resumes a run that was killed, to the same bits as one that was not', async () => {
    const folder = await temporaryFolder();
    const running = start(folder, ['train', CONFIG, ...THREE_EPOCHS]);
    await running.seen(/epoch 1\/3 ·/);
    running.process.kill('SIGKILL');
    await running.ended;
    const { code, stdout } = await run(folder, ['sweep', CONFIG, ...THREE_EPOCHS]);
    expect(code).toBe(0);
    expect(stdout).toContain('seed 1: resuming');
    const resumed = await findRunFolder(join(folder, 'results'), 'smoke-fashion-mnist-mini');
    expect(JSON.parse(await readFile(resumed.environment, 'utf8')).resumed).toHaveLength(1);

    const other = await temporaryFolder();
    expect((await run(other, ['train', CONFIG, ...THREE_EPOCHS])).code).toBe(0);
    const whole = await findRunFolder(join(other, 'results'), 'smoke-fashion-mnist-mini');
    expect(await bits(resumed.path)).toEqual(await bits(whole.path));
  });

  test('Ctrl-C saves the run at work and starts no other; the same command goes on', async () => {
    const folder = await temporaryFolder();
    const args = ['sweep', CONFIG, '--seeds=1,2', ...THREE_EPOCHS];
    const running = start(folder, args);
    await running.seen(/epoch 1\/3 ·/);
    running.process.kill('SIGINT');
    const { code, stdout } = await running.ended;
    expect(code).toBe(130);
    expect(stdout).toMatch(/mini +1 +interrupted +\d\/3/);
    expect(stdout).toMatch(/mini +2 +not started +0\/3/);
    const again = await run(folder, args);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('seed 1: resuming');
    expect(again.stdout).toMatch(/mini +2 +finished +3\/3/);
  });

  test('at the end of the Slurm job that it is part of, the run at work saves and no other starts', async () => {
    const folder = await temporaryFolder();
    const env = { SLURM_JOB_END_TIME: `${Math.round(Date.now() / 1000)}` };
    const { code, stdout } = await run(folder, ['sweep', CONFIG, '--seeds=1,2', ...THREE_EPOCHS], env);
    expect(code).toBe(75);
    expect(stdout).toMatch(/mini +1 +interrupted +0\/3/);
    expect(stdout).toMatch(/mini +2 +not started +0\/3/);
  });

  test('--dry-run measures, and trains nothing', async () => {
    const folder = await temporaryFolder();
    const { code, stdout } = await run(folder, [
      'sweep',
      CONFIG,
      '--seeds=1,2',
      ...THREE_EPOCHS,
      '--dry-run',
    ]);
    expect(code).toBe(0);
    expect(stdout.match(/Measuring/g)).toHaveLength(1);
    expect(stdout).toMatch(/mini +1 +start +0\/3 +\d+\.\d +\d+ s/);
    expect(stdout).toContain('2 runs, ');
    expect((await run(folder, ['runs', 'list'])).stdout.trim()).toBe('(nothing)');
  });

  test('--dry-run says how many tasks of a queue the longest run is, and how long all take side by side', async () => {
    const folder = await temporaryFolder();
    const args = [
      'sweep',
      '--config=smoke-fashion-mnist-mini',
      '--seeds=1,2,3',
      '--engine=native',
      '--dry-run',
    ];
    const long = ['--set=training.epochs=1000000', '--launcher=slurm', '--time=1-0', '--max-jobs=3'];
    const { code, stdout } = await run(folder, [...args, ...long]);
    expect(code).toBe(0);
    const [, longest] = /The longest run takes (.*): \d+ tasks of 1 d 0 h, or more\./.exec(stdout)!;
    expect(stdout).toContain(`3 at a time, on nodes as fast as this machine: at least ${longest}.`);
  });

  test('--dry-run needs no data, also for ImageNet', async () => {
    const folder = await temporaryFolder();
    const { code, stdout, stderr } = await run(folder, [
      'sweep',
      '--config=imagenet-densenet-121,smoke-cifar10',
      '--dry-run',
      '--data=none',
      '--engine=native',
    ]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(/imagenet-densenet-121 +1 +start +0\/90 +\d+\.\d +\d+ d/);
    expect(stdout).toMatch(/smoke-cifar10 +1 +start +0\/1 /);
    expect(await readdir(folder)).toEqual([]);
  });

  test('needs a file or configs', async () => {
    const folder = await temporaryFolder();
    for (const args of [[], ['sweep.yaml', CONFIG]]) {
      const { code, stderr } = await run(folder, ['sweep', ...args]);
      expect(code).toBe(2);
      expect(stderr).toMatch(/^error: sweep needs either a file or --config\n/);
    }
  });

  test('--print shows what it would start, --status what became of it, and a queue needs a launcher', async () => {
    const folder = await temporaryFolder();
    const args = ['sweep', CONFIG, '--seeds=1,2', ...THREE_EPOCHS];
    const printed = await run(folder, [...args, '--print']);
    expect(printed.code).toBe(0);
    expect(printed.stdout.trim().split('\n')).toEqual([
      expect.stringMatching(/ train --auto-resume --config=\S+ .*--seed=1 --subset=320 --engine=native /),
      expect.stringMatching(/ --seed=2 /),
    ]);
    const first = await run(folder, ['sweep', CONFIG, '--seeds=1', ...THREE_EPOCHS]);
    expect(first.code).toBe(0);
    const { code, stdout } = await run(folder, [...args, '--status', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([
      { seed: '1', status: 'finished', epochs: '3/3' },
      { seed: '2', status: 'not started', epochs: '0/3' },
    ]);
    const done = ['sweep', CONFIG, '--seeds=1', ...THREE_EPOCHS, '--launcher=slurm', '--print'];
    const nothing = await run(folder, done);
    expect(nothing).toMatchObject({ code: 0, stdout: '' });
    expect(nothing.stderr).toMatch(/^Nothing to submit: /);
    for (const [more, problem] of [
      [['--max-jobs=2'], /^error: --max-jobs is for a queue/],
      [['--cancel'], /^error: a sweep on this machine is in no queue/],
    ] as const) {
      const refused = await run(folder, [...args, ...more]);
      expect(refused.stderr).toMatch(problem);
      expect(refused.code).toBe(2);
    }
  });

  test('--launcher slurm where there is no Slurm says so', async () => {
    const folder = await temporaryFolder();
    const env = { PATH: folder };
    const { code, stderr } = await run(folder, ['sweep', CONFIG, '--launcher=slurm'], env);
    expect(stderr).toMatch(/^error: this machine has no Slurm: sbatch cannot be started \(ENOENT\)\n/);
    expect(code).toBe(2);
  });
});
