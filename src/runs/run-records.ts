import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Experiment } from '../config/schema.js';
import { systemCode, UserError } from '../util/errors.js';
import type { RunEnvironment } from './environment.js';
import { listRunFolders } from './folders.js';
import type { RunResult, RunStatus } from './result.js';
import type { RunFolder } from './run-folder.js';

/**
 * `killed`: result.json says `running`, but no process is at work on the run. `damaged`: a file of the folder
 * cannot be read.
 */
export type ShownStatus = RunStatus | 'killed' | 'damaged';

/** A run in whatever state it is. What could not be read is undefined. */
export interface RunRecord {
  readonly folder: RunFolder;
  readonly status: ShownStatus;
  readonly experiment?: Experiment;
  readonly environment?: RunEnvironment;
  /** Undefined if result.json is missing. */
  readonly result?: RunResult;
  /** Why the run stopped, or what is damaged. */
  readonly problem?: string;
}

/** Every run of a results folder, by experiment, oldest first. */
export async function readRunRecords(resultsFolder: string): Promise<RunRecord[]> {
  const records: RunRecord[] = [];
  for (const folder of await listRunFolders(resultsFolder)) records.push(await readRunRecord(folder));
  return records;
}

export async function readRunRecord(folder: RunFolder): Promise<RunRecord> {
  try {
    const experiment = folder.readExperiment();
    const environment = existsSync(folder.environment) ? folder.readEnvironment() : undefined;
    const result = existsSync(folder.result) ? folder.readResult() : undefined;
    const stored = result?.status ?? 'running';
    const killed = stored === 'running' && !(await isAtWork(folder, environment));
    return {
      folder,
      status: killed ? 'killed' : stored,
      experiment,
      environment,
      result,
      problem: result?.message,
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { folder, status: 'damaged', problem: error.message };
  }
}

/**
 * Milliseconds without a written file after which a run of another host counts as killed. Training writes every
 * ten minutes at least; only an evaluation may be silent longer.
 */
const SILENCE = 2 * 3600_000;

/** Whether a process is training the run: the one that environment.json names, or one on another host. */
async function isAtWork(folder: RunFolder, environment: RunEnvironment | undefined): Promise<boolean> {
  const latest = environment?.resumed.at(-1) ?? environment;
  // In a container a process may have the number that the killed one had.
  if (latest?.pid !== undefined && latest.host === hostname()) {
    return latest.pid !== process.pid && (await isOurProcess(latest.pid));
  }
  const all = [folder.environment, folder.result, folder.epochs, folder.checkpoint('last')];
  const files = all.filter(existsSync);
  const times = await Promise.all(files.map(async (file) => (await stat(file)).mtimeMs));
  return Date.now() - Math.max(...times) < SILENCE;
}

/** Whether the process lives and is this program: its number may have gone to another. */
async function isOurProcess(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
  const commandLine = `/proc/${pid}/cmdline`;
  if (!existsSync(commandLine)) return true;
  return (await readFile(commandLine, 'utf8')).includes('densenet');
}
