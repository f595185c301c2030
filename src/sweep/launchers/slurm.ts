import { userInfo } from 'node:os';
import { join } from 'node:path';
import { RESULTS_REMEDY } from '../../runs/folders.js';
import { wantedKey } from '../../runs/run-state.js';
import { UserError } from '../../util/errors.js';
import { makeFolder } from '../../util/files.js';
import { runTool, ToolError } from '../../util/run-tool.js';
import type { Launcher, Order, QueueEntry, QueueOptions } from './launcher.js';
import { logName, slurmScript } from './slurm-script.js';
import { readSubmissions, submissionsFolder, writeSubmission } from './submissions.js';

const NAME = 'slurm';

/** One Slurm job array for all runs. */
export const slurm: Launcher = {
  script: slurmScript,

  async launch(order: Order, options: QueueOptions): Promise<undefined> {
    const { resultsFolder, runs } = order;
    // Slurm opens the logs in it.
    await makeFolder(submissionsFolder(resultsFolder), RESULTS_REMEDY);
    const answer = await ask('sbatch', ['--parsable'], slurmScript(order, options));
    // With several clusters, the job's is behind a semicolon.
    const job = answer.trim().split(';')[0]!;
    const submitted = new Date().toISOString();
    const tasks = runs.map(wantedKey);
    await writeSubmission(resultsFolder, { launcher: NAME, job, submitted, tasks }).catch((cause) => {
      throw new UserError(
        'data',
        `job ${job} is submitted, but what it trains cannot be noted in ${resultsFolder}: ${cause.message}`,
        `Let it run, or end it with: scancel ${job}`,
        { cause },
      );
    });
  },

  async queue(resultsFolder: string): Promise<Map<string, QueueEntry>> {
    const submissions = await readSubmissions(resultsFolder, NAME);
    const entries = new Map<string, QueueEntry>();
    if (submissions.length === 0) return entries;
    const states = await queueStates();
    const folder = submissionsFolder(resultsFolder);
    for (const { job, tasks } of submissions) {
      for (const [index, key] of tasks.entries()) {
        const id = `${job}_${index + 1}`;
        const entry = {
          id,
          log: join(folder, logName(job, `${index + 1}`)),
          state: undefined,
          ...states.get(id),
        };
        // The newest, or the one that is still in the queue.
        if (entry.state !== undefined || entries.get(key)?.state === undefined) entries.set(key, entry);
      }
    }
    return entries;
  },

  async cancel(entries: readonly QueueEntry[]): Promise<void> {
    await ask(
      'scancel',
      entries.map(({ id }) => id),
    );
  },
};

/** Job states of tasks that have no processors yet, or none at the moment; all others that squeue shows are running. */
const WAITING = [
  'PENDING',
  'CONFIGURING',
  'REQUEUED',
  'REQUEUE_FED',
  'REQUEUE_HOLD',
  'RESV_DEL_HOLD',
  'SPECIAL_EXIT',
];

/** This person's array tasks, by `<job>_<task>`. */
async function queueStates(): Promise<Map<string, Pick<QueueEntry, 'state' | 'reason'>>> {
  const { username } = userInfo();
  const answer = await ask('squeue', [`--user=${username}`, '--noheader', '--array', '--format=%F|%K|%T|%r']);
  return new Map(
    answer
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [job, task, state = '', said] = line.trim().split('|');
        const reason = said === 'None' ? undefined : said;
        const waits = WAITING.includes(state);
        return [`${job}_${task}`, waits ? { state: 'waiting', reason } : { state: 'running' }];
      }),
  );
}

/** What a command of Slurm answers. Throws a UserError (usage) with what it complains of. */
async function ask(command: string, words: readonly string[], input?: string): Promise<string> {
  try {
    return await runTool(command, words, { input });
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    if (error.cause !== undefined) {
      throw new UserError(
        'usage',
        `this machine has no Slurm: ${error.message}`,
        'Run it on a host of the cluster from which jobs are submitted, or leave out --launcher.',
        { cause: error },
      );
    }
    throw new UserError(
      'usage',
      `${command} refuses: ${error.firstComplaint}`,
      command === 'sbatch'
        ? 'Change --partition, --time, --max-jobs or --sbatch; --print shows what is submitted.'
        : 'See whether the cluster answers: sinfo',
      { cause: error },
    );
  }
}
