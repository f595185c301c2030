import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bits, run, start, temporaryFolder } from '../program.js';
import { expectedBits, onlyRun, SMALL, uninterrupted } from './small-run.js';

test('the config of a run runs again as it is, to the same bits', async () => {
  const first = await uninterrupted();
  const folder = await temporaryFolder();
  const args = ['train', '--config', join(first, 'config.json'), '--subset=320', '--engine=native'];
  expect((await run(folder, args)).code).toBe(0);
  const again = join(folder, 'results', 'runs', 'smoke-fashion-mnist-mini');
  expect(await bits(join(again, (await readdir(again))[0]!))).toEqual(await bits(first));
});

test('another seed gives another run', async () => {
  const folder = await temporaryFolder();
  expect((await run(folder, [...SMALL, '--seed=2'])).code).toBe(0);
  expect(await bits(await onlyRun(folder))).not.toEqual(await expectedBits());
});

test('killed in its first step, it resumes to the same bits', async () => {
  const folder = await temporaryFolder();
  const running = start(folder, SMALL);
  await running.seen(/Run folder/);
  running.process.kill('SIGKILL');
  await running.ended;
  expect((await run(folder, ['train', '--resume=smoke-fashion-mnist-mini', '--engine=native'])).code).toBe(0);
  expect(await bits(await onlyRun(folder))).toEqual(await expectedBits());
});

test('by micro-batches: the same bits on one thread and on two, and after a kill in the middle', async () => {
  const args = [...SMALL, '--subset=310', '--set=training.accumulate=4'];
  const [whole, cut] = [await temporaryFolder(), await temporaryFolder()];
  expect((await run(whole, [...args, '--threads=1'])).code).toBe(0);
  const running = start(cut, [...args, '--threads=2']);
  await running.seen(/epoch 2\/8 ·/);
  running.process.kill('SIGKILL');
  await running.ended;
  expect((await run(cut, ['train', '--resume=smoke-fashion-mnist-mini'])).code).toBe(0);
  expect(await bits(await onlyRun(cut))).toEqual(await bits(await onlyRun(whole)));
  expect(await bits(await onlyRun(whole))).not.toEqual(await expectedBits());
});
