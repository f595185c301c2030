import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { packageRoot } from '../../src/util/package.js';
import { startNode, temporaryFolder } from '../program.js';
import { startOn } from './mpirun.js';

vi.setConfig({ testTimeout: 400_000 });

const EXPERIMENT = 'smoke-fashion-mnist-mini';
const MINI = [
  'train',
  `--config=${EXPERIMENT}`,
  '--subset=320',
  '--engine=native',
  '--threads=1',
  '--set=training.accumulate=4',
];
const LONG = [...MINI, '--set=training.epochs=500'];

/** The processes that mpirun has started, by rank. */
async function ranks(mpirun: number | undefined): Promise<number[]> {
  const children = await readFile(`/proc/${mpirun}/task/${mpirun}/children`, 'utf8');
  return children.split(' ').filter(Boolean).map(Number);
}

async function resultFile(folder: string): Promise<string> {
  const runs = join(folder, 'results', 'runs', EXPERIMENT);
  return join(runs, (await readdir(runs)).at(-1)!, 'result.json');
}

async function status(folder: string): Promise<string> {
  return JSON.parse(await readFile(await resultFile(folder), 'utf8')).status;
}

test('training whose processes are killed comes to the same bits on other numbers of them', async () => {
  const script = join(packageRoot, 'test', 'kill', 'kill.mjs');
  const ended = await startNode(await temporaryFolder(), [script, '--rounds=3', '--mpi']).ended;
  expect(ended.stderr).toBe('');
  expect(ended.stdout).toMatch(/3 rounds, \d+ kills: 3 came to the same bits, 0 did not\n$/);
});

test('a batch that was divided among the processes stays so: the same command goes on with the run', async () => {
  const folder = await temporaryFolder();
  const args = [
    'train',
    `--config=${EXPERIMENT}`,
    '--subset=320',
    '--engine=native',
    '--threads=1',
    '--auto-resume',
  ];
  const stopped = await startOn(2, folder, [...args, '--max-steps=3']).ended;
  expect(stopped.code, stopped.stderr).toBe(75);
  const finished = await startOn(2, folder, args).ended;
  expect(finished.code, finished.stderr).toBe(0);
  expect(await readdir(join(folder, 'results', 'runs', EXPERIMENT))).toHaveLength(1);
  expect(await status(folder)).toBe('finished');
});

test.each([0, 1])('when process %i is killed, the others end, and one says so in one line', async (rank) => {
  const folder = await temporaryFolder();
  const running = startOn(2, folder, LONG);
  await running.seen(/epoch 2\/500/);
  process.kill((await ranks(running.process.pid))[rank]!, 'SIGKILL');
  const { code, stderr } = await running.ended;
  expect(code).not.toBe(0);
  expect(stderr.match(/^error: .*/gm)).toEqual([
    expect.stringMatching(new RegExp(`^error: process ${rank + 1} of 2 has ended: \\d+@`)),
  ]);
  expect(await status(folder)).toBe('running');
});

test('a signal to any process is a decision of all: they save the same step', async () => {
  const folder = await temporaryFolder();
  const running = startOn(2, folder, LONG);
  await running.seen(/epoch 1\/500/);
  process.kill((await ranks(running.process.pid))[1]!, 'SIGUSR1');
  const { code, stdout } = await running.ended;
  expect(stdout).toMatch(/Stopped and saved. Resume with: /);
  expect(code).toBe(75);
  expect(await status(folder)).toBe('interrupted');

  const limited = await startOn(4, folder, ['train', `--resume=${EXPERIMENT}`, '--max-steps=3']).ended;
  expect(limited.code, limited.stderr).toBe(75);
  expect(limited.stdout).toContain('Processes: 4 on 1 host, each with 1 micro-batch of 16 images');
});

test('a run that another process has taken over is left by all', async () => {
  const folder = await temporaryFolder();
  const said = ['sh', '-c', '"$@"; echo "exit code $?"', 'sh'];
  const running = startOn(2, folder, [...LONG, '--auto-resume'], {}, said);
  await running.seen(/epoch 1\/500/);
  const path = await resultFile(folder);
  const result = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...result, process: { ...result.process, pid: 1 } }));
  const { stdout, stderr } = await running.ended;
  expect(stderr.match(/^error: .*/gm)).toEqual([
    expect.stringMatching(/^error: left alone: .* was taken over by process 1/),
  ]);
  expect(stdout.match(/^exit code .*/gm)).toEqual(['exit code 75', 'exit code 75']);

  // As where another process is at work before they begin.
  const one = startOn(1, folder, [...LONG, '--auto-resume']);
  await one.seen(/Run folder: /);
  const { stdout: second } = await startOn(2, folder, [...LONG, '--auto-resume'], {}, said).ended;
  expect(second.match(/^exit code .*/gm)).toEqual(['exit code 75', 'exit code 75']);
  one.process.kill('SIGKILL');
  await one.ended;
});

test('what cannot work is said once', async () => {
  const folder = await temporaryFolder();
  const three = await startOn(3, folder, MINI).ended;
  expect(three.code).toBe(2);
  expect(three.stderr.match(/^error: .*/gm)).toEqual([
    'error: 3 processes cannot share the run: its training.accumulate is 4',
  ]);

  const bare = { XDG_CACHE_HOME: join(folder, 'cache'), MPICXX: 'missing', PATH: '/nowhere' };
  const program = [join(packageRoot, 'bin', 'densenet'), ...MINI];
  const alone = { OMPI_COMM_WORLD_SIZE: '2', OMPI_COMM_WORLD_RANK: '0', OMPI_COMM_WORLD_LOCAL_RANK: '0' };
  const missing = await startNode(folder, program, { ...bare, ...alone }).ended;
  expect(missing.code).toBe(4);
  expect(missing.stderr).toMatch(
    /^error: the MPI part needs MPI's compiler, mpicxx, and none was found\n.*\n$/,
  );
});

test('a dry run says how many processes share the work, without MPI', async () => {
  const place = { OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_RANK: '0', MPICXX: 'missing' };
  const program = [join(packageRoot, 'bin', 'densenet'), 'train', EXPERIMENT, '--dry-run'];
  const { stdout, stderr } = await startNode(await temporaryFolder(), program, place).ended;
  expect(stderr).toBe('');
  expect(stdout).toContain('  processes       4, each with 1 micro-batch of a step\n');
});
