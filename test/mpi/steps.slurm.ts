import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packageRoot } from '../../src/util/package.js';
import { bits, run, startProcess, temporaryFolder } from '../program.js';
import { Cluster, until } from '../sweep/slurm/cluster.js';

const EXPERIMENT = 'smoke-fashion-mnist-mini';
const TRAIN = [
  'train',
  `--config=${EXPERIMENT}`,
  '--subset=320',
  '--set=training.accumulate=2',
  '--engine=native',
  '--threads=1',
];

let folder: string;
let cluster: Cluster;
beforeEach(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder, 'slurm'));
  cluster = await Cluster.start(join(folder, 'slurm'));
});
afterEach(() => cluster?.stop());

/** Trains, by way of a launcher; returns what the run came to, and what was printed. */
async function trained(name: string, launcher: readonly string[]) {
  const program = [process.execPath, join(packageRoot, 'bin', 'densenet'), ...TRAIN, `--results=${name}`];
  const [command, ...args] = [...launcher, ...program];
  const env = { ...cluster.environment, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };
  const { code, stdout, stderr } = await startProcess(folder, command!, args, env).ended;
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  const runs = join(folder, name, 'runs', EXPERIMENT);
  return { bits: await bits(join(runs, (await readdir(runs)).at(-1)!)), stdout };
}

test('two nodes, by mpirun in an allocation, and two tasks of a step come to the bits of one process', async () => {
  const one = await trained('one', []);
  const nodes = await trained('nodes', ['salloc', '-N2', '-n2', 'mpirun', '-np', '2']);
  expect(nodes.stdout).toContain('Processes: 2 on 2 hosts');
  expect(nodes.bits).toEqual(one.bits);
  const step = await trained('step', ['srun', '-N1', '-n2', '--overcommit', '--mpi=pmix']);
  expect(step.stdout).toContain('Processes: 2 on 1 host');
  expect(step.bits).toEqual(one.bits);
});

test('each task of a sweep may be several processes', async () => {
  const one = await trained('one', []);
  const [, ...options] = TRAIN.filter((option) => option !== '--threads=1');
  const slurm = [
    '--launcher=slurm',
    '--sbatch=--nodes=1',
    '--sbatch=--ntasks=2',
    '--sbatch=--overcommit',
    '--sbatch=--cpus-per-task=1',
  ];
  const submitted = await run(folder, ['sweep', ...options, ...slurm], {
    ...cluster.environment,
    SLURM_MPI_TYPE: 'pmix',
  });
  expect(submitted.code, submitted.stderr).toBe(0);
  const runs = join(folder, 'results', 'runs', EXPERIMENT);
  const result = () => {
    const [name] = existsSync(runs) ? readdirSync(runs) : [];
    const path = name && join(runs, name, 'result.json');
    return path && existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
  };
  await until('the run is finished', () => result()?.status === 'finished');
  const path = join(runs, readdirSync(runs)[0]!);
  const { hosts } = JSON.parse(readFileSync(join(path, 'environment.json'), 'utf8'));
  expect(hosts).toHaveLength(2);
  expect(await bits(path)).toEqual(one.bits);
});
