import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { isClaimed } from '../runs/claim.js';
import { readRunRecords } from '../runs/run-records.js';
import { hiddenByDamage, newestRecord, type RunState, runState } from '../runs/run-state.js';
import { EXIT } from '../util/errors.js';
import type { Reporter } from '../util/reporter.js';
import type { SweepRun } from './expand.js';
import type { LaunchOptions, Order } from './launchers/launcher.js';
import type { SweepOutcome } from './outcome.js';
import { trainArgv } from './train-command.js';

type SweepOptions = Pick<Order, 'resultsFolder' | 'trainOptions'> &
  Pick<LaunchOptions, 'jobs' | 'reporter' | 'stop' | 'force'>;

/**
 * Trains what is not finished, in order, each run in a process of its own, so that a crash of one cannot hurt
 * another. Continues after a failure. Returns when nothing is running any more.
 */
export async function runSweep(runs: readonly SweepRun[], options: SweepOptions): Promise<SweepOutcome[]> {
  const { resultsFolder, jobs, reporter, stop } = options;
  const records = await readRunRecords(resultsFolder);
  const states = runs.map((run) => runState(run, records));
  const isDue = ({ kind }: RunState) => kind === 'start' || kind === 'resume';
  const exitCodes = new Map<number, number | null>();
  const left = new Set<number>();
  const queue = [...runs.keys()].filter((index) => isDue(states[index]!));
  const labelOf = (index: number) => `[${index + 1}/${runs.length}] ${runs[index]!.label}`;
  for (const [index, state] of states.entries()) {
    if (state.kind !== 'damaged') continue;
    const { message, remedy } = hiddenByDamage(state.record);
    reporter.warn(`${labelOf(index)}: left alone: ${message}. ${remedy}`);
  }
  const work = async () => {
    for (let index = queue.shift(); index !== undefined && !stop.aborted; index = queue.shift()) {
      const run = runs[index]!;
      const label = labelOf(index);
      // Another sweep may have been at it meanwhile.
      const state = runState(run, await readRunRecords(resultsFolder));
      states[index] = state;
      if (stop.aborted) break;
      if (!isDue(state)) continue;
      reporter.line(`${label}: ${state.kind === 'resume' ? 'resuming' : 'starting'}`);
      const exitCode = await trainProcess(run, label, options);
      exitCodes.set(index, exitCode);
      if (exitCode !== EXIT.unfinished) continue;
      if (await isLeftToAnother(run, resultsFolder)) left.add(index);
      // It was saved at the end of the job that the sweep is part of: no other would come further.
      else queue.length = 0;
    }
  };
  // What fails one worker, such as a folder of results that went away, leaves the children of the others to end.
  const worked = await Promise.allSettled(Array.from({ length: jobs }, work));
  for (const one of worked) if (one.status === 'rejected') throw one.reason;
  const after = await readRunRecords(resultsFolder);
  return runs.map((run, index) => {
    const before = states[index]!;
    const known = before.kind === 'finished' || before.kind === 'damaged' ? before.record : undefined;
    const record = known ?? newestRecord(run, after);
    return { run, before, exitCode: exitCodes.get(index), left: left.has(index), record };
  });
}

/** Whether the process of a run that was neither finished nor failed found another one at it, or about to be. */
async function isLeftToAnother(run: SweepRun, resultsFolder: string): Promise<boolean> {
  const state = runState(run, await readRunRecords(resultsFolder));
  return state.kind !== 'resume' || isClaimed(state.record.folder);
}

/** One `densenet train` in a process group of its own: Ctrl-C reaches it through us, once. */
async function trainProcess(
  run: SweepRun,
  label: string,
  { trainOptions, reporter, stop, force }: SweepOptions,
): Promise<number | null> {
  const [program, ...words] = trainArgv(run, trainOptions);
  const child = spawn(program!, words, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const save = () => child.kill('SIGINT');
  const end = () => child.kill('SIGKILL');
  stop.addEventListener('abort', save);
  force.addEventListener('abort', end);
  try {
    return await passOn(child, label, reporter);
  } finally {
    stop.removeEventListener('abort', save);
    force.removeEventListener('abort', end);
  }
}

/** Prints what a process says, each line with its label; returns its exit code. */
function passOn(child: ChildProcess, label: string, reporter: Reporter): Promise<number | null> {
  createInterface({ input: child.stdout! }).on('line', (line) => {
    if (line.trim() !== '') reporter.line(`${label}: ${line}`);
  });
  createInterface({ input: child.stderr! }).on('line', (line) => {
    reporter.warn(`${label}: ${line.replace(/^warning: /, '')}`);
  });
  return new Promise((resolve) => {
    child.on('error', (error) => {
      reporter.warn(`${label}: ${error.message}`);
      resolve(EXIT.engine);
    });
    child.on('close', resolve);
  });
}
