import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { appendFile, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadExperiment } from '../../src/config/load.js';
import { initialValues, isTrainable, parameters } from '../../src/networks/parameters.js';
import { weightsFile } from '../../src/networks/weights.js';
import { parseEpochs } from '../../src/runs/epochs.js';
import { parseEvents, runEventSchema, validEvents } from '../../src/runs/events.js';
import type { RunResult } from '../../src/runs/result.js';
import { networkOf } from '../../src/training/model.js';
import { decodeSafetensors } from '../../src/util/safetensors.js';
import { bits, run, start, temporaryFolder } from '../program.js';
import { expectedBits, onlyRun, SMALL, uninterrupted } from './small-run.js';

async function json(path: string) {
  return JSON.parse(await readFile(path, 'utf8'));
}

/** What log.jsonl says in the end. */
async function events(runFolder: string) {
  return validEvents(parseEvents(await readFile(join(runFolder, 'log.jsonl'), 'utf8')));
}

/** What log.jsonl says of the epochs agrees with epochs.csv. */
async function expectEpochs(runFolder: string, count: number): Promise<void> {
  const told = (await events(runFolder)).filter(({ event }) => event === 'epoch');
  const rows = parseEpochs(await readFile(join(runFolder, 'epochs.csv'), 'utf8'));
  expect(rows).toHaveLength(count);
  expect(told).toMatchObject(
    rows.map(({ epoch, testError }) => ({ epoch, testError: expect.closeTo(testError, 1) })),
  );
}

describe('train', () => {
  test('--quiet leaves the results only', async () => {
    const folder = await temporaryFolder();
    const { code, stdout, stderr } = await run(folder, [...SMALL, '--quiet']);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^\nDone in .*\n {2}last epoch +\d+\.\d\d % {2}\(epoch 8\)\n/);
    expect(stdout).toContain('Tables: results/test-error.csv');
    expect(stdout).not.toMatch(/Engine|epoch 8\/8/);
  });

  test('leaves a run folder that explains itself, and the tables', async () => {
    const folder = await temporaryFolder();
    const { code, stdout, stderr } = await run(folder, SMALL);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Engine: native on the CPU \(as asked\)\n/);
    expect(stdout).toMatch(/epoch 8\/8 .* test error \d+\.\d\d %/);
    expect(stdout).toMatch(/last epoch +\d+\.\d\d % +\(epoch 8\)/);
    const path = await onlyRun(folder);
    expect(await readdir(path)).toEqual([
      'checkpoint',
      'config.json',
      'environment.json',
      'epochs.csv',
      'log.jsonl',
      'log.txt',
      'result.json',
      'tensorboard',
    ]);
    expect(await readdir(join(path, 'tensorboard'))).toEqual([
      expect.stringMatching(/^events\.out\.tfevents\.\d{10}\./),
    ]);
    expect((await events(path)).map(({ event }) => event).filter((event) => event !== 'progress')).toEqual([
      'start',
      ...Array.from({ length: 8 }, () => ['epoch', 'checkpoint']).flat(),
      'end',
    ]);
    const said = (await readFile(join(path, 'log.txt'), 'utf8')).trimEnd().split('\n');
    expect(said.map((line) => line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /, ''))).toEqual(
      stdout.trimEnd().split('\n'),
    );
    expect(await readdir(join(path, 'checkpoint'))).toEqual([
      'best.json',
      'best.safetensors',
      'last.json',
      'last.safetensors',
      'previous.safetensors',
    ]);
    const epochs = (await readFile(join(path, 'epochs.csv'), 'utf8')).trim().split('\n');
    expect(epochs[0]).toBe(
      'epoch,learning_rate,train_loss,train_error,validation_loss,validation_error,validation_top5_error,test_loss,test_error,test_top5_error,seconds,images_per_second,wait_percent',
    );
    expect(epochs).toHaveLength(9);
    const result = (await json(join(path, 'result.json'))) as RunResult;
    expect(result).toMatchObject({ status: 'finished', epochs: 8, subset: 320, seed: 1 });
    expect(result.last?.epoch).toBe(8);
    expect(result.reported?.error).toBe(result.last?.error);
    expect(await json(join(path, 'environment.json'))).toMatchObject({
      node: process.version,
      engine: { name: 'native', device: 'cpu' },
      commandLine: SMALL,
      dataset: { name: 'fashion-mnist-mini', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      resumed: [],
    });
    const table = await readFile(join(folder, 'results', 'test-error.csv'), 'utf8');
    expect(table).toContain(result.last!.error.toFixed(2));
    expect(existsSync(join(folder, 'results', 'parameter-count.csv'))).toBe(true);
  });

  test('killed in the middle of an epoch, it resumes to the same bits', async () => {
    const folder = await temporaryFolder();
    const running = start(folder, SMALL);
    await running.seen(/epoch 2\/8 ·/);
    running.process.kill('SIGKILL');
    expect((await running.ended).code).toBe('SIGKILL');
    const path = await onlyRun(folder);
    expect((await json(join(path, 'result.json'))).status).toBe('running');
    // As a process leaves it that is killed while it writes.
    await appendFile(join(path, 'log.jsonl'), '{"time":"2026-11-24T10:1');
    const args = ['train', '--resume=smoke-fashion-mnist-mini', '--engine=native', '--log-every=7'];
    const resumed = await run(folder, args);
    expect(resumed.stderr).toBe('');
    expect(resumed.stdout).not.toMatch(/epoch 1\/8 ·/);
    expect(await bits(path)).toEqual(await expectedBits());
    await expectEpochs(path, 8);
    const lines = (await readFile(join(path, 'log.jsonl'), 'utf8')).trimEnd().split('\n');
    for (const line of lines) runEventSchema.parse(JSON.parse(line));
    const steps = (await events(path)).flatMap((event) => (event.event === 'step' ? [event.globalStep] : []));
    expect(steps).toEqual(Array.from({ length: 11 }, (_, index) => 7 * (index + 1)).slice(-steps.length));
    expect(steps.at(-1)).toBe(77);
  });

  test('killed while a checkpoint is written, again and again, it resumes to the same bits', async () => {
    const folder = await temporaryFolder();
    let running = start(folder, SMALL);
    await running.seen(/epoch 1\/8 ·/);
    const checkpoint = join(await onlyRun(folder), 'checkpoint');
    for (let kill = 0; kill < 2; kill++) {
      await new Promise<void>((resolve) => {
        const watcher = watch(checkpoint, (_event, file) => {
          if (!file?.startsWith('last.safetensors.')) return;
          running.process.kill('SIGKILL');
          watcher.close();
          resolve();
        });
        running.process.on('close', () => resolve());
      });
      await running.ended;
      if (kill === 0)
        running = start(folder, ['train', '--resume=smoke-fashion-mnist-mini', '--engine=native']);
    }
    const last = await run(folder, ['train', '--resume=smoke-fashion-mnist-mini', '--engine=native']);
    expect([0, 2]).toContain(last.code);
    expect(await bits(await onlyRun(folder))).toEqual(await expectedBits());
  });

  test('stopped in the middle of an epoch, it saves; the run resumes to the same bits', async () => {
    const folder = await temporaryFolder();
    const running = start(folder, SMALL);
    await running.seen(/epoch 1\/8 ·/);
    running.process.kill('SIGINT');
    await running.ended;
    const path = await onlyRun(folder);
    expect((await events(path)).at(-1)).toMatchObject({ event: 'end', status: 'interrupted' });
    // The logs cannot be written: that ends no training.
    for (const file of ['log.jsonl', 'tensorboard']) await rm(join(path, file), { recursive: true });
    await symlink('/dev/full', join(path, 'log.jsonl'));
    await writeFile(join(path, 'tensorboard'), '');
    const resumed = await run(folder, ['train', '--resume', path, '--engine=native']);
    expect(resumed.code).toBe(0);
    expect(resumed.stderr.trim().split('\n').sort()).toEqual([
      expect.stringMatching(/^warning: cannot write .*log\.jsonl: .*\(ENOSPC\); training continues$/),
      expect.stringMatching(/^warning: cannot write .*tensorboard.*\(ENOTDIR\); training continues$/),
    ]);
    expect(await readFile(join(path, 'log.txt'), 'utf8')).toMatch(/Z warning: cannot write .*ENOSPC/);
    expect(await bits(path)).toEqual(await expectedBits());
    expect((await json(join(path, 'environment.json'))).resumed).toHaveLength(1);
  });

  test('a run that was killed after its last checkpoint gets its last line in epochs.csv', async () => {
    const path = await uninterrupted();
    const whole = await readFile(join(path, 'epochs.csv'), 'utf8');
    await writeFile(join(path, 'epochs.csv'), whole.split('\n').slice(0, -2).join('\n'));
    const result = await json(join(path, 'result.json'));
    await writeFile(join(path, 'result.json'), JSON.stringify({ ...result, status: 'running' }));
    const resumed = await run(join(path, '..', '..', '..', '..'), [
      'train',
      '--resume',
      path,
      '--engine=native',
    ]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(await readFile(join(path, 'epochs.csv'), 'utf8')).toBe(whole);
  });

  test('a run that another process trains is not trained twice', async () => {
    const folder = await temporaryFolder();
    const running = start(folder, [...SMALL, '--set=training.epochs=100000']);
    await running.seen(/Run folder/);
    const second = await run(folder, ['train', '--resume=smoke-fashion-mnist-mini']);
    running.process.kill('SIGINT');
    expect(second.stderr).toContain('still alive');
    expect(second.code).toBe(2);
    expect((await running.ended).code).toBe(130);
  });

  test('a loss that is not finite stops the run and keeps the last good checkpoint', async () => {
    const folder = await temporaryFolder();
    const wild = ['--set=training.learningRate.initial=1000', '--set=training.weightDecay=1'];
    const args = [...SMALL, ...wild, '--set=training.epochs=20'];
    const { code, stderr } = await run(folder, args);
    expect(code).toBe(5);
    expect(stderr).toMatch(/^error: the training loss is (NaN|Infinity) at epoch \d+, step \d+\n[^\n]+\n$/);
    const path = await onlyRun(folder);
    expect((await json(join(path, 'result.json'))).status).toBe('diverged');
    for (const file of await readdir(join(path, 'checkpoint'))) expect(file).not.toContain('.tmp');
  });

  test('a dry run says what would happen and writes nothing', async () => {
    const folder = await temporaryFolder();
    const dryRun = ['train', '--config=cifar10-bc-100-12', '--dry-run', '--no-measure'];
    const { code, stdout } = await run(folder, dryRun);
    expect(code).toBe(0);
    expect(stdout).toMatch(/parameters +769,162/);
    expect(stdout).toMatch(/activations .* per batch of 64\n/);
    expect(stdout).toMatch(/steps +234,600 \(300 epochs of 782\)\n/);
    const parts = await run(folder, [...dryRun, '--set=training.accumulate=4']);
    expect(parts.stdout).toMatch(/activations .* per micro-batch of 16\n/);
    expect(parts.stdout).toMatch(/steps +234,600 \(300 epochs of 782\), each of 4 micro-batches\n/);
    expect(await readdir(folder)).toEqual([]);
  });

  test('a dry run measures the time and the memory that training takes here', async () => {
    const folder = await temporaryFolder();
    const epochs = '--set=training.epochs=1000';
    const { code, stdout } = await run(folder, [...SMALL, epochs, '--dry-run', '--json']);
    expect(code).toBe(0);
    const { images, measured } = JSON.parse(stdout);
    const { trainImagesPerSecond: train, predictImagesPerSecond: predict, seconds, memoryBytes } = measured;
    expect(seconds).toBeCloseTo(1000 * (images.train / train + images.test / predict), 5);
    // No process of Node has less; what this network takes is small.
    expect(memoryBytes / 1e6).toBeGreaterThan(30);
    expect(memoryBytes / 1e6).toBeLessThan(600);
    expect(await readdir(folder)).toEqual([]);
  });

  test('--json prints one document, everything else goes to standard error', async () => {
    const folder = await temporaryFolder();
    const { code, stdout, stderr } = await run(folder, [...SMALL, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'finished', last: { epoch: 8 } });
    expect(stderr).toContain('epoch 8/8');
  });

  test('begins with given weights', async () => {
    const first = await uninterrupted();
    const folder = await temporaryFolder();
    const weights = join(first, 'checkpoint', 'best.safetensors');
    const args = [...SMALL, `--init=${weights}`, '--set=training.learningRate.initial=1e-12'];
    const { code } = await run(folder, [...args, '--set=training.weightDecay=0', '--set=training.epochs=1']);
    expect(code).toBe(0);
    const { best } = (await json(join(first, 'result.json'))) as RunResult;
    const { last } = (await json(join(await onlyRun(folder), 'result.json'))) as RunResult;
    expect(Math.abs(last!.error - best!.error)).toBeLessThan(15);
  });

  test('fine-tunes weights for other classes with a new classifier, and resumes without their file', async () => {
    const folder = await temporaryFolder();
    const network = networkOf(await loadExperiment('smoke-fashion-mnist-mini'));
    const given = initialValues({ ...network, classes: 7 }, 5);
    const file = join(folder, 'seven.safetensors');
    await writeFile(file, weightsFile({ ...network, classes: 7 }, given));
    const args = [...SMALL, '--set=training.learningRate.initial=1e-12', '--set=training.weightDecay=0'];

    const refused = await run(folder, [...args, '--init=seven.safetensors']);
    expect(refused.stderr).toMatch(/7 classes apart, .* 10; .*\nUse .* --init-skip classifier\n$/);
    expect(refused.code).toBe(3);

    const running = start(folder, [...args, '--init=seven.safetensors', '--init-skip=classifier']);
    await running.seen(/epoch 1\/8 ·/);
    running.process.kill('SIGINT');
    expect((await running.ended).code).toBe(130);
    const path = await onlyRun(folder);
    const init = {
      file,
      sha256: createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
      skipped: ['classifier.weight', 'classifier.bias'],
    };
    expect(await json(join(path, 'environment.json'))).toMatchObject({ init });

    await rm(file);
    const changed = await run(folder, ['train', '--resume', path, '--init-skip=classifier']);
    expect(changed.stderr).toContain('another config: --init-skip');
    expect((await run(folder, ['train', '--resume', path])).code).toBe(0);
    expect(await json(join(path, 'environment.json'))).toMatchObject({ init });
    const checkpoint = join(path, 'checkpoint', 'last.safetensors');
    const { tensors } = decodeSafetensors(await readFile(checkpoint), checkpoint);
    const fresh = initialValues(network, 1);
    for (const { name, shape } of parameters(network).filter(isTrainable)) {
      const start = (name.startsWith('classifier.') ? fresh : given).get(name)!;
      expect(shape).toEqual(start.shape);
      const furthest = tensors
        .get(name)!
        .data.reduce((far, x, i) => Math.max(far, Math.abs(x - start.data[i]!)), 0);
      expect(furthest, name).toBeLessThan(1e-6);
    }
  });
});

test('Ctrl-C during a download stops it; nothing is left to resume', async () => {
  const server = createServer(() => {
    // Takes the request and never answers.
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const folder = await temporaryFolder();
  const { port } = server.address() as AddressInfo;
  const fetching = start(folder, [
    'data',
    'fetch',
    'cifar10',
    `--mirror=http://127.0.0.1:${port}`,
    '--data=.',
  ]);
  await once(server, 'request');
  const waiting = start(folder, ['train', '--config=cifar10-40-12', '--engine=native', '--data=.']);
  await waiting.seen(/waiting/i);
  waiting.process.kill('SIGINT');
  const { code, stderr } = await waiting.ended;
  expect(stderr).toContain('Stopped before training began');
  expect(code).toBe(130);
  fetching.process.kill('SIGKILL');
  await fetching.ended;
});
