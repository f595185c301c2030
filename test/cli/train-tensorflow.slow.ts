import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bits, run, start, temporaryFolder } from '../program.js';

const EXPERIMENT = 'smoke-fashion-mnist-mini';

/** Eight epochs of ten steps on real images, with what is drawn at random. */
const ARGS = [
  'train',
  `--config=${EXPERIMENT}`,
  '--subset=320',
  '--set=training.batchSize=32',
  '--set=training.epochs=8',
  '--set=dataset.augmentation=[shift,mirror]',
  '--set=network.dropout=0.2',
  '--engine=tensorflow',
];

async function onlyRun(folder: string): Promise<string> {
  const experiment = join(folder, 'results', 'runs', EXPERIMENT);
  const runs = await readdir(experiment);
  expect(runs).toHaveLength(1);
  return join(experiment, runs[0]!);
}

test('a killed run resumes on its engine to the same bits; another engine is warned of', async () => {
  const whole = await temporaryFolder();
  expect((await run(whole, ARGS)).code).toBe(0);

  const folder = await temporaryFolder();
  const running = start(folder, ARGS);
  await running.seen(/epoch 1\/8 ·/);
  running.process.kill('SIGKILL');
  await running.ended;
  const path = await onlyRun(folder);
  const copy = join(folder, 'copy');
  await cp(path, copy, { recursive: true });

  const resumed = await run(folder, ['train', '--resume', path]);
  expect(resumed.stdout).toMatch(/^Engine: TensorFlow on the CPU \(as the run was trained so far\)\n/);
  expect(await bits(path)).toEqual(await bits(await onlyRun(whole)));

  const changed = await run(folder, ['train', '--resume', copy, '--engine=native']);
  expect(changed.stderr).toContain('not to the same bits');
  expect(changed.code).toBe(0);
});
