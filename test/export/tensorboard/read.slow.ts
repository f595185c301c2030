import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { findPip } from '../../../src/engines/tensorflow/library/pip.js';
import { RunFolder } from '../../../src/runs/run-folder.js';
import { cacheFolder } from '../../../src/util/cache.js';
import { runTool } from '../../../src/util/run-tool.js';
import { run, start, temporaryFolder } from '../../program.js';

const here = fileURLToPath(new URL('.', import.meta.url));

interface Read {
  readonly scalars: Readonly<Record<string, [step: number, value: number][]>>;
  readonly hparams: Readonly<Record<string, { hparams?: object; status?: string }>>;
}

/** What Python's TensorBoard reads in a folder. It is installed into the cache if it is not there yet. */
async function readWithTensorBoard(folder: string): Promise<Read> {
  const requirements = join(here, 'requirements.txt');
  const digest = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex');
  const packages = cacheFolder(`test-tensorboard-${digest.slice(0, 12)}`);
  const python = (await findPip())!.command;
  if (!existsSync(packages)) {
    const building = `${packages}.new`;
    await rm(building, { recursive: true, force: true });
    const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', building, '-r', requirements];
    await runTool(python, pip);
    await rename(building, packages);
  }
  const env = { ...process.env, PYTHONPATH: packages };
  return JSON.parse(await runTool(python, [join(here, 'read.py'), folder], { env })) as Read;
}

test('TensorBoard reads the scalars and hyper-parameters of a run that was resumed, each step once', async () => {
  const folder = await temporaryFolder();
  const args = ['train', '--config=smoke-fashion-mnist-mini', '--subset=320', '--set=training.batchSize=32'];
  const running = start(folder, [...args, '--set=training.epochs=6', '--engine=native', '--log-every=3']);
  await running.seen(/epoch 2\/6 ·/);
  running.process.kill('SIGKILL');
  await running.ended;
  const resumed = await run(folder, ['train', '--resume=smoke-fashion-mnist-mini', '--log-every=3']);
  expect(resumed.code, resumed.stderr).toBe(0);
  const runs = join(folder, 'results', 'runs', 'smoke-fashion-mnist-mini');
  const [name] = await readdir(runs);
  const made = new RunFolder(join(runs, name!), name!);
  expect(await readdir(made.tensorboard)).toHaveLength(2);
  const { scalars, hparams } = await readWithTensorBoard(made.tensorboard);
  const epochs = made.readEpochs();
  const column = (tag: string) => scalars[tag]!.map(([step, value]) => [step, expect.closeTo(value, 1)]);
  expect(column('error/test')).toEqual(epochs.map(({ epoch, testError }) => [10 * epoch, testError]));
  expect(column('loss/train')).toEqual(epochs.map(({ epoch, trainLoss }) => [10 * epoch, trainLoss]));
  expect(scalars.epoch).toEqual(epochs.map(({ epoch }) => [10 * epoch, epoch]));
  expect(scalars['step/loss']!.map(([step]) => step)).toEqual(
    Array.from({ length: 20 }, (_, i) => 3 * (i + 1)),
  );
  expect(scalars.test_error).toEqual([[60, made.readResult().reported!.error]]);
  expect(hparams['_hparams_/session_start_info']!.hparams).toMatchObject({
    name: 'smoke-fashion-mnist-mini',
    'training.batchSize': 32,
    'network.bottleneck': true,
    'training.learningRate.milestones': '[0.5,0.75]',
  });
  expect(hparams['_hparams_/session_end_info']!.status).toBe('STATUS_SUCCESS');
});
