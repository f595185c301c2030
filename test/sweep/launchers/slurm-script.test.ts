import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { expandSweep } from '../../../src/sweep/expand.js';
import type { Order } from '../../../src/sweep/launchers/launcher.js';
import { slurmScript } from '../../../src/sweep/launchers/slurm-script.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-script-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function order(changes: Partial<Order> = {}): Promise<Order> {
  const set = [`description=it's "\${HOME}" \`id\` \\ #1`];
  const configs = [{ config: 'quickstart', set }];
  const runs = await expandSweep({ configs, set: [], grid: {}, seeds: [1, 2, 3] });
  return { name: 'four', runs, resultsFolder: 'results', trainOptions: ["--data=it's here"], ...changes };
}

const directives = (script: string) => script.split('\n').filter((line) => line.startsWith('#SBATCH'));

it('asks sbatch for one array, appended logs beside the results, a warning and to be queued again', async () => {
  expect(directives(slurmScript(await order(), { more: [] }))).toEqual([
    '#SBATCH --job-name=densenet-four',
    '#SBATCH --array=1-3',
    `#SBATCH --chdir=${process.cwd()}`,
    `#SBATCH --output=${process.cwd()}/results/sweeps/slurm-%A_%a.log`,
    '#SBATCH --open-mode=append',
    '#SBATCH --requeue',
    '#SBATCH --signal=USR1@120',
  ]);
  const options = {
    partition: 'gpu',
    time: '24:00:00',
    maxJobs: 16,
    more: ['--gres=gpu:1 -c 8', '--comment="a b"'],
  };
  const script = slurmScript(await order({ resultsFolder: '/a "b" 5%\\c' }), options);
  expect(directives(script)).toContain('#SBATCH --array=1-3%16');
  expect(directives(script)).toContain('#SBATCH "--output=/a \\"b\\" 5%%\\\\c/sweeps/slurm-%A_%a.log"');
  expect(directives(script).slice(-4)).toEqual([
    '#SBATCH --partition=gpu',
    '#SBATCH --time=24:00:00',
    '#SBATCH --gres=gpu:1 -c 8',
    '#SBATCH --comment="a b"',
  ]);
});

it('refuses an option of several lines, which would end the directives', async () => {
  const script = async (changes: Partial<Order>, more: string[]) =>
    slurmScript(await order(changes), { more });
  await expect(script({}, ['--time=1\nrm -r x'])).rejects.toThrow('has one line');
  await expect(script({ resultsFolder: 'a\nb' }, [])).rejects.toThrow('has one line');
});

it.each([
  ['--ntasks=2', 2],
  ['--nodes=1 -n 4', 4],
  ['-N2', 2],
  ['--nodes 2 --ntasks-per-node=3', 6],
])('with %s each run must say that it is cut into parts for %i processes', async (option, processes) => {
  const script = async (accumulate: number) => {
    const set = [`training.accumulate=${accumulate}`, 'training.batchSize=48'];
    const runs = await expandSweep({
      configs: [{ config: 'quickstart', set }],
      set: [],
      grid: {},
      seeds: [1],
    });
    return slurmScript(await order({ runs }), { more: [option] });
  };
  await expect(script(1)).rejects.toThrow(`${processes} processes are to share each run`);
  expect(await script(2 * processes)).toContain(`#SBATCH ${option}`);
});

/** Runs the script in `sh` as task 2 of job 7, with `srun` and `scontrol` that write down what they are told. */
async function runTask(script: string, code: number, environment: Record<string, string> = {}) {
  const told = join(folder, 'told');
  const tell = (name: string) =>
    `#!/bin/sh\nfor word in ${name} "$@"; do printf '%s\\n' "$word"; done >> '${told}'\n`;
  const log = `printf '%s\\n' "$DENSENET_LOG" "$SRUN_CPUS_PER_TASK" >> '${told}'\n`;
  await writeFile(join(folder, 'srun'), `${tell('srun')}${log}exit ${code}\n`, { mode: 0o755 });
  await writeFile(join(folder, 'scontrol'), tell('scontrol'), { mode: 0o755 });
  const path = join(folder, 'script');
  await writeFile(path, script);
  const env = {
    PATH: `${folder}${delimiter}${process.env.PATH}`,
    SLURM_ARRAY_JOB_ID: '7',
    SLURM_ARRAY_TASK_ID: '2',
    SLURM_CPUS_ON_NODE: '8',
    SLURM_TASKS_PER_NODE: '2(x3),1',
    ...environment,
  };
  const ended = await new Promise((resolve) => {
    execFile('sh', ['-eu', path], { env }, (error) => resolve(error ? error.code : 0));
  });
  return { ended, words: (await readFile(told, 'utf8')).trimEnd().split('\n') };
}

it('hands each word of its task to the program as it is, with the share of processors, and the name of its log', async () => {
  const asked = await order({ resultsFolder: "/it's" });
  const { ended, words } = await runTask(slurmScript(asked, { more: [] }), 0);
  expect(ended).toBe(0);
  const begin = words.indexOf('--auto-resume');
  expect(words.slice(0, 2)).toEqual(['srun', process.execPath]);
  expect(words.slice(begin + 1)).toEqual([
    ...asked.runs[1]!.trainArguments,
    '--threads=4',
    '--workers=4',
    ...asked.trainOptions,
    "/it's/sweeps/slurm-7_2.log",
    '4',
  ]);
});

it('takes the threads that are given instead, and processors by task where Slurm says them', async () => {
  const asked = await order({ trainOptions: ['--threads=3'] });
  const { words } = await runTask(slurmScript(asked, { more: [] }), 0, { SLURM_CPUS_PER_TASK: '6' });
  expect(words.slice(-4)).toEqual(['--workers=6', '--threads=3', expect.any(String), '6']);
});

it.each([
  [75, ['scontrol', 'requeue', '7_2']],
  [0, []],
  [5, []],
  [143, []],
])('after exit code %d of the run it tells scontrol %j, and exits with the code', async (code, expected) => {
  const { ended, words } = await runTask(slurmScript(await order(), { more: [] }), code);
  expect(ended).toBe(code);
  const from = words.indexOf('scontrol');
  expect(from < 0 ? [] : words.slice(from)).toEqual(expected);
});
