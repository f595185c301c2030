import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/util/package.js';
import { END_SIGNALS } from '../../src/util/signals.js';
import { run, start, startInTerminal, startProcess, temporaryFolder } from '../program.js';

/** Many short steps. */
const TRAIN = [
  'train',
  '--config=smoke-fashion-mnist-mini',
  '--set=training.epochs=1000',
  '--subset=320',
  '--engine=native',
  '--threads=1',
];

/** Steps that take longer than a second, so that a signal finds the program at one. */
const LONG_STEPS = [...TRAIN, '--set=training.batchSize=320', '--set=network.growthRate=32'];

/** Ctrl-C. */
const CTRL_C = '\x03';

/** The line of the bar is empty, the cursor is shown, lines wrap. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what terminals are told.
const RESTORED = /\x1b\[\?25h\x1b\[\?7h\x1b\[J/;

async function status(folder: string): Promise<string> {
  const { stdout } = await run(folder, ['runs', 'list', '--json']);
  const [only, ...more] = JSON.parse(stdout) as { status: string }[];
  expect(more).toEqual([]);
  return only!.status;
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 143],
  ['SIGUSR1', 75],
  ['SIGUSR2', 75],
  ['SIGXCPU', 75],
] as const) {
  test(`${signal} finishes the step, saves and exits ${code}`, async () => {
    const folder = await temporaryFolder();
    const running = start(folder, TRAIN);
    await running.seen(/epoch 1\/1000 ·/);
    running.process.kill(signal);
    const ended = await running.ended;
    expect(ended.code).toBe(code);
    expect(ended.stderr).toMatch(/^warning: stopping after this step.*\n$/);
    expect(ended.stdout).toContain('train --resume smoke-fashion-mnist-mini/');
    expect(await status(folder)).toBe('interrupted');
  });
}

test('a signal that arrives twice within a second, as from `timeout`, is one wish', async () => {
  const folder = await temporaryFolder();
  const running = start(folder, LONG_STEPS);
  await running.seen(/Run folder/);
  for (let i = 0; i < 5; i++) {
    running.process.kill('SIGTERM');
    await setTimeout(50);
  }
  const ended = await running.ended;
  expect(ended.code).toBe(143);
  expect(ended.stderr).toMatch(/^warning: stopping after this step.*\n$/);
  expect(await status(folder)).toBe('interrupted');
});

test('warnings that come again do not end it at once: a step may take longer than they are apart', async () => {
  const folder = await temporaryFolder();
  const running = start(folder, LONG_STEPS);
  await running.seen(/Run folder/);
  const { process } = running;
  process.kill('SIGUSR1');
  while (process.exitCode === null && process.signalCode === null) {
    for (const signal of ['SIGUSR2', 'SIGUSR1'] as const) process.kill(signal);
    await setTimeout(100);
  }
  expect((await running.ended).code).toBe(75);
  expect(await status(folder)).toBe('interrupted');
});

test('a signal later than that ends the program at once', async () => {
  const folder = await temporaryFolder();
  const running = start(folder, [...LONG_STEPS, '--set=network.depth=40']);
  await running.seen(/Run folder/);
  const { process } = running;
  while (process.exitCode === null && process.signalCode === null) {
    process.kill('SIGINT');
    await setTimeout(100);
  }
  expect((await running.ended).code).toBe('SIGINT');
  expect(await status(folder)).toBe('killed');
});

test('the first Ctrl-C clears the bar and gives the terminal back', async () => {
  const folder = await temporaryFolder();
  const running = startInTerminal(folder, TRAIN);
  await running.seen(/error \d/);
  running.process.stdin!.write(CTRL_C);
  const { code, stdout } = await running.ended;
  expect(code).toBe(130);
  const [, after] = stdout.split('^C');
  expect(after!.split('warning: stopping')[0]).toMatch(RESTORED);
  // No bar is drawn after it.
  expect(after!.split('warning: stopping')[1]).not.toMatch(/error \d/);
});

test('Ctrl-C gives the terminal back where nothing is to be saved, too', async () => {
  const folder = await temporaryFolder();
  expect((await run(folder, [...TRAIN, '--set=training.epochs=1', '--quiet'])).code).toBe(0);
  const running = startInTerminal(folder, [
    'eval',
    'smoke-fashion-mnist-mini',
    '--subset=10000',
    '--threads=1',
  ]);
  await running.seen(/test .* 0\//);
  running.process.stdin!.write(CTRL_C);
  const { code, stdout } = await running.ended;
  expect(code).toBe(130);
  expect(stdout.split('^C')[1]).toMatch(RESTORED);
});

test('Ctrl-C while the engine is built says that it was stopped, and leaves nothing', async () => {
  const folder = await temporaryFolder();
  const running = startInTerminal(folder, TRAIN, { XDG_CACHE_HOME: join(folder, 'cache') });
  await running.seen(/Building the native engine/);
  running.process.stdin!.write(CTRL_C);
  const { code, stdout } = await running.ended;
  expect(stdout).toContain('Stopped before training began');
  expect(stdout).not.toContain('cannot compile');
  expect(code).toBe(130);
  expect(await readdir(join(folder, 'cache', 'densenet', 'native'))).toEqual([]);
});

test('SIGUSR1 opens no debugger, however early it comes: Node listens to it before our code does', async () => {
  const running = startProcess(await temporaryFolder(), join(packageRoot, 'bin', 'densenet'), ['table', '2']);
  const { process: child, ended } = running;
  const SIGUSR1 = 1n << BigInt(constants.signals.SIGUSR1 - 1);
  const caught = () =>
    BigInt(`0x${/^SigCgt:\s*(\w+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))![1]}`);
  while ((caught() & SIGUSR1) === 0n) await setTimeout(1);
  child.kill('SIGUSR1');
  expect((await ended).stderr).not.toMatch(/listening/);
});

test('no signal of a scheduler ends the TensorFlow process or opens its debugger: the program saves with it', async () => {
  const folder = await temporaryFolder();
  const running = start(folder, [...TRAIN.slice(0, -2), '--engine=tensorflow', '--device=cpu']);
  await running.seen(/Run folder/);
  const children = await readFile(
    `/proc/${running.process.pid}/task/${running.process.pid}/children`,
    'utf8',
  );
  const tensorflow = Number(children.trim());
  expect(tensorflow).toBeGreaterThan(0);
  for (const signal of END_SIGNALS) process.kill(tensorflow, signal);
  await running.seen(/epoch 1\/1000 ·/);
  running.process.kill('SIGUSR1');
  const { code, stderr } = await running.ended;
  expect(stderr).toMatch(/^warning: stopping after this step.*\n$/);
  expect(code).toBe(75);
});
