import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bits, run, temporaryFolder } from '../../program.js';
import { Cluster, kill, type Node, until } from './cluster.js';

const SEEDS = [1, 2, 3, 4, 5, 6];
const SWEEP = [
  'sweep',
  '--config=smoke-fashion-mnist-mini',
  '--subset=320',
  '--set=training.batchSize=32',
  '--set=training.epochs=40',
  '--engine=native',
];
const SIX = [...SWEEP, `--seeds=${SEEDS}`];
const SLURM = '--launcher=slurm';

let folder: string;
let cluster: Cluster;
beforeEach(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder, 'slurm'));
  cluster = await Cluster.start(join(folder, 'slurm'));
});
afterEach(() => cluster?.stop());

async function densenet(args: readonly string[], cwd = folder): Promise<string> {
  const { code, stdout, stderr } = await run(cwd, args, cluster.environment);
  expect(code, stderr).toBe(0);
  return stdout;
}

/** The folder of the one run of a seed; undefined before there is one. */
function runFolder(seed: number, cwd = folder): string | undefined {
  const experiment = join(cwd, 'results', 'runs', 'smoke-fashion-mnist-mini');
  const all = existsSync(experiment) ? readdirSync(experiment) : [];
  const runs = all.filter(
    (name) => name.endsWith(`-seed-${seed}`) && existsSync(join(experiment, name, 'config.json')),
  );
  expect(runs.length).toBeLessThan(2);
  return runs[0] && join(experiment, runs[0]);
}

const read = (...path: string[]) => readFileSync(join(...path), 'utf8');

interface AtWork {
  readonly seed: number;
  readonly path: string;
  readonly node: Node;
  readonly pid: number;
  /** Name of its task. */
  readonly id: string;
}

function atWork(job: string, seed: number): AtWork | undefined {
  const path = runFolder(seed);
  if (path === undefined || !existsSync(join(path, 'epochs.csv'))) return undefined;
  const { status, process } = JSON.parse(read(path, 'result.json'));
  return status === 'running'
    ? { seed, path, node: process.host, pid: process.pid, id: `${job}_${seed}` }
    : undefined;
}

/** Stops the process of a run that has done an epoch and is not finished, so that it cannot finish meanwhile. */
async function caught(job: string, isWanted: (one: AtWork) => boolean): Promise<AtWork> {
  let found: AtWork | undefined;
  await until('a run is at work', () => {
    found = SEEDS.map((seed) => atWork(job, seed)).find((one) => one !== undefined && isWanted(one));
    if (found === undefined) return false;
    kill(found.pid, 'SIGSTOP');
    const still = atWork(job, found.seed);
    if (still?.pid === found.pid) return true;
    kill(found.pid, 'SIGCONT');
    return false;
  });
  return found!;
}

function log(id: string): string {
  return read(folder, 'results', 'sweeps', `slurm-${id}.log`);
}

const times = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].length;

async function savedOnceMore(id: string, disturb: () => Promise<unknown>): Promise<void> {
  const count = () => times(log(id), /Stopped and saved/g);
  const before = count();
  await disturb();
  await until(`${id} saves`, () => count() > before);
}

test('six runs, some warned, preempted, out of time or on a killed node, through a restart of the controller, end in the bits of a local sweep', async () => {
  const submitted = await densenet([...SIX, SLURM]);
  const job = /\b(\d+)_1\b/.exec(submitted)![1]!;
  expect(submitted).toContain('Submitted 6 of 6 runs.');

  const first = await caught(job, () => true);
  // Slurm wakes a stopped process when it warns it.
  const outOfTime = savedOnceMore(first.id, () =>
    cluster.ask('scontrol', ['update', `JobId=${first.id}`, 'TimeLimit=1']),
  );

  const other = (one: AtWork) => one.node !== first.node;
  const warned = await caught(job, other);
  await savedOnceMore(warned.id, async () => {
    await cluster.ask('scancel', ['--signal=USR1', warned.id]);
    kill(warned.pid, 'SIGCONT');
  });

  const preempted = await caught(job, (one) => other(one) && one.seed !== warned.seed);
  await savedOnceMore(preempted.id, () =>
    cluster.ask('sbatch', [
      '--partition=high',
      `--nodelist=${preempted.node}`,
      '--output=/dev/null',
      '--wrap=exit',
    ]),
  );

  await outOfTime;
  const cut = await caught(job, () => true);
  await cluster.restartController();
  await cluster.killNode(cut.node);
  // From the other node the process cannot be seen; ten minutes of silence tell that it is gone.
  const hourAgo = new Date(Date.now() - 3600_000);
  for (const file of ['result.json', 'environment.json', 'epochs.csv', 'checkpoint/last.safetensors']) {
    await utimes(join(cut.path, file), hourAgo, hourAgo);
  }
  const runs = async () =>
    (await cluster.ask('squeue', ['-h', '-r', '-t', 'running', '-o', '%F_%K %N'])).split('\n');
  await until('Slurm notices it', async () => !(await runs()).includes(`${cut.id} ${cut.node}`));
  cluster.startNode(cut.node);

  await until('the queue is empty', async () => (await cluster.ask('squeue', ['-h'])) === '');
  expect(await densenet([...SIX, SLURM, '--status'])).toContain('6 runs: 6 finished.');
  expect(await densenet([...SIX, SLURM])).toContain('Nothing to submit');
  for (const seed of SEEDS) {
    const lines = read(runFolder(seed)!, `slurm-${job}_${seed}.log`);
    expect(times(lines, /Done in/g)).toBe(1);
  }

  const alone = await temporaryFolder();
  await densenet([...SIX, '--jobs=2'], alone);
  for (const seed of SEEDS) expect(await bits(runFolder(seed)!)).toEqual(await bits(runFolder(seed, alone)!));
});

test('--cancel empties the queue, runs at work save first, and the same command submits what is left', async () => {
  const args = [...SWEEP, '--set=training.epochs=100000', `--seeds=${SEEDS}`, SLURM];
  const submitted = await densenet([...args, '--max-jobs=1', '--sbatch=--comment="two words"']);
  const job = /\b(\d+)_1\b/.exec(submitted)![1]!;
  await until('the first is at work', () => atWork(job, 1) !== undefined);
  expect(await densenet([...args, '--status'])).toMatch(
    /mini +1 +running .*\n.* 2 +waiting .* JobArrayTaskLimit/,
  );
  expect(await densenet(args)).toContain('Nothing to submit');
  expect(await densenet([...args, '--cancel'])).toContain('Cancelled: 6 runs.');
  await until('the queue is empty', async () => (await cluster.ask('squeue', ['-h'])) === '');
  expect(await densenet([...args, '--status'])).toMatch(/6 runs: 1 interrupted, 5 not started\./);
  expect(await densenet([...args, '--print'])).toContain('#SBATCH --array=1-6\n');
});
