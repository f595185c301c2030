import { resolve } from 'node:path';
import { UserError } from '../../util/errors.js';
import { shellWord } from '../../util/shell.js';
import type { SweepRun } from '../expand.js';
import { TRAIN } from '../train-command.js';
import type { Order, QueueOptions } from './launcher.js';

/** Where a task's output goes: with Slurm's `%A` and `%a`, or a shell's variables, for the numbers of job and task. */
export function logName(job: string, task: string): string {
  return `slurm-${job}_${task}.log`;
}

/**
 * Seconds before the time limit at which Slurm sends SIGUSR1 to the run. It looks every half minute, and the step under
 * way must end.
 */
const WARNING = 120;

/**
 * One job array, whose tasks are the runs, from 1. A run that is saved but not finished queues its task again. Throws a
 * UserError (usage) if an option has several lines, or if a run does not say how several processes share it.
 */
export function slurmScript({ name, runs, trainOptions, ...order }: Order, options: QueueOptions): string {
  const { partition, time, maxJobs, more } = options;
  checkDivided(runs, tasksOf(more));
  const folder = resolve(order.resultsFolder, 'sweeps');
  const has = (option: string) => trainOptions.some((word) => word.startsWith(`--${option}=`));
  const shares = ['threads', 'workers']
    .filter((option) => !has(option))
    .map((option) => `"--${option}=$cpus"`);
  const lines = [
    '#!/bin/sh',
    directive(`--job-name=densenet-${name}`),
    directive(`--array=1-${runs.length}${maxJobs === undefined ? '' : `%${maxJobs}`}`),
    directive(`--chdir=${process.cwd()}`),
    directive(`--output=${folder.replaceAll('%', '%%')}/${logName('%A', '%a')}`),
    '#SBATCH --open-mode=append',
    '#SBATCH --requeue',
    `#SBATCH --signal=USR1@${WARNING}`,
    ...(partition === undefined ? [] : [directive(`--partition=${partition}`)]),
    ...(time === undefined ? [] : [directive(`--time=${time}`)]),
    ...more.map((text) => `#SBATCH ${oneLine(text)}`),
    '',
    'case $SLURM_ARRAY_TASK_ID in',
    ...runs.map(({ trainArguments }, index) => `${index + 1}) set -- ${shellWords(trainArguments)} ;;`),
    '*) exit 2 ;;',
    'esac',
    '',
    '# The processors of one task: on a node, those of the job over its tasks.',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's.
    'cpus=${SLURM_CPUS_PER_TASK:-$((SLURM_CPUS_ON_NODE / ${SLURM_TASKS_PER_NODE%%[!0-9]*}))}',
    'export SRUN_CPUS_PER_TASK="$cpus"',
    '# The run gives this file a second name in its folder.',
    `export DENSENET_LOG=${shellWord(folder)}/${logName('"$SLURM_ARRAY_JOB_ID"', '"$SLURM_ARRAY_TASK_ID"')}`,
    '# This shell must outlive the signals that the run saves at.',
    'trap : TERM INT HUP USR1 USR2',
    '',
    'code=0',
    `srun ${shellWords(TRAIN)} "$@" ${[...shares, ...trainOptions.map(shellWord)].join(' ')} || code=$?`,
    'if [ "$code" -eq 75 ]; then',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's.
    '  scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" ||',
    '    echo "It cannot be queued again here. Submit what is left with the same sweep command."',
    'fi',
    'exit "$code"',
  ];
  return `${lines.join('\n')}\n`;
}

/** Processes that share each run: as many as the options of sbatch ask for tasks. */
function tasksOf(more: readonly string[]): number {
  const text = more.join(' ');
  const asked = (option: RegExp) => Number(option.exec(text)?.[1] ?? 1);
  const nodes = asked(/(?<!\S)(?:--nodes[= ]|-N *)(\d+)/);
  const tasks = asked(/(?<!\S)(?:--ntasks[= ]|-n *)(\d+)/);
  return Math.max(tasks, nodes * asked(/(?<!\S)--ntasks-per-node[= ](\d+)/));
}

/** A run that processes divide without its config's word would not be found again by the sweep. */
function checkDivided(runs: readonly SweepRun[], processes: number): void {
  const run = runs.find(({ experiment }) => experiment.training.accumulate % processes !== 0);
  if (!run) return;
  throw new UserError(
    'usage',
    `${processes} processes are to share each run, and training.accumulate of ${run.label} is ${run.experiment.training.accumulate}`,
    `Set it for all: --set training.accumulate=${processes}`,
  );
}

function shellWords(words: readonly string[]): string {
  return words.map(shellWord).join(' ');
}

/** An option as sbatch reads it in a script: in double quotes, with backslashes before quotes and backslashes. */
function directive(option: string): string {
  const text = oneLine(option);
  return `#SBATCH ${/^[\w@%+=:,./-]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, '\\$&')}"`}`;
}

function oneLine(text: string): string {
  if (!/[\r\n]/.test(text)) return text;
  throw new UserError(
    'usage',
    `an option of sbatch has one line, and this has several: ${JSON.stringify(text)}`,
    'Rename the folder, or repeat --sbatch.',
  );
}
