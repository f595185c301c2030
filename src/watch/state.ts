import { existsSync, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { listRunFolders } from '../runs/folders.js';
import type { RunFolder } from '../runs/run-folder.js';
import { type RunRecord, readRunRecord } from '../runs/run-records.js';
import type { SweepRun } from '../sweep/expand.js';
import { statusSheet, sweepStatus } from '../sweep/status.js';
import { runRow, runSheet } from '../tables/run-tables.js';
import type { Sheet } from '../tables/sheet.js';
import { UserError } from '../util/errors.js';

export interface WatchOptions {
  readonly resultsFolder: string;
  /** One run alone. */
  readonly run?: RunFolder | undefined;
  /** The runs of a sweep, also those that have not begun. */
  readonly sweep?: readonly SweepRun[] | undefined;
}

/** What the page shows. */
export interface View {
  /** The runs that are shown at length. */
  readonly runs: readonly WatchedRun[];
  /** How many more are running. */
  readonly more: number;
  /** All runs, if more than one is watched. */
  readonly table: Sheet | undefined;
  /** Why nothing can be shown. */
  readonly problem?: string | undefined;
}

/** `gone`: its folder was there, and is not any more. */
export interface WatchedRun {
  readonly record: RunRecord;
  readonly gone: boolean;
}

/** Runs that are shown at length, and rows of the table, at most. */
const MOST_RUNS = 12;
const MOST_ROWS = 500;

const COLUMNS = ['run', 'status', 'epochs', 'of', 'test_error', 'paper', 'seconds', 'problem'] as const;

/** Reads run folders, whoever writes them, and remembers what it has seen. What is damaged in them throws nothing. */
export class RunWatcher {
  /** Records of runs that have ended, which change with their files only. */
  private readonly ended = new Map<string, { signature: string; record: RunRecord }>();
  /** The runs that were there, as last seen. */
  private readonly seen = new Map<string, RunRecord>();
  /** Those that were running since watching began. */
  private readonly worked = new Set<string>();

  constructor(private readonly options: WatchOptions) {}

  async look(): Promise<View> {
    try {
      return await this.view(
        this.options.run ? [this.options.run] : await listRunFolders(this.options.resultsFolder),
      );
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { runs: [], more: 0, table: undefined, problem: error.message };
    }
  }

  private async view(folders: readonly RunFolder[]): Promise<View> {
    for (const folder of folders) {
      if (!existsSync(folder.path)) continue;
      const record = await this.read(folder);
      this.seen.set(folder.path, record);
      if (record.status === 'running') this.worked.add(folder.path);
    }
    const all = [...this.seen.values()].map((record) => ({ record, gone: !existsSync(record.folder.path) }));
    const { run, sweep } = this.options;
    const statuses = sweep && sweepStatus(sweep, present(all), new Map());
    const own = statuses && new Set(statuses.map(({ record }) => record));
    const watched = own ? all.filter(({ record }) => own.has(record)) : all;
    const atWork = watched.filter(({ record }) => run !== undefined || this.worked.has(record.folder.path));
    const newestFirst = sorted(atWork.length > 0 ? atWork : sorted(watched).slice(0, 1));
    return {
      runs: newestFirst.slice(0, MOST_RUNS),
      more: Math.max(0, newestFirst.length - MOST_RUNS),
      table: statuses
        ? { ...statusSheet(statuses), title: 'Runs of the sweep' }
        : run
          ? undefined
          : runsTable(sorted(watched)),
    };
  }

  private async read(folder: RunFolder): Promise<RunRecord> {
    const signature = [folder.config, folder.environment, folder.result, folder.epochs]
      .map(changed)
      .join(' ');
    const known = this.ended.get(folder.path);
    if (known?.signature === signature) return known.record;
    // Thousands of runs take seconds, in which others are to be answered too.
    await setImmediate();
    const record = readRunRecord(folder);
    // That a process is gone, no file tells.
    if (record.status === 'running') this.ended.delete(folder.path);
    else this.ended.set(folder.path, { signature, record });
    return record;
  }
}

function present(runs: readonly WatchedRun[]): RunRecord[] {
  return runs.flatMap(({ record, gone }) => (gone ? [] : [record]));
}

/** Those that are running first, then the newest. */
function sorted(runs: readonly WatchedRun[]): WatchedRun[] {
  const key = ({ record, gone }: WatchedRun) =>
    `${record.status === 'running' && !gone ? 1 : 0} ${record.environment?.started ?? ''}`;
  return runs.toSorted((a, b) => key(b).localeCompare(key(a)));
}

function runsTable(runs: readonly WatchedRun[]): Sheet {
  const statuses = runs.map(({ record, gone }) => (gone ? 'gone' : record.status));
  const counts = [...new Set(statuses)].map(
    (status) => `${statuses.filter((one) => one === status).length} ${status}`,
  );
  const rows = runs
    .slice(0, MOST_ROWS)
    .map(({ record }, index) => ({ ...runRow(record), status: statuses[index] }));
  const newest = runs.length > MOST_ROWS ? ` The newest ${MOST_ROWS} are shown.` : '';
  return {
    ...runSheet(COLUMNS, rows, 'All runs'),
    notes: [`${runs.length} runs: ${counts.join(', ')}.${newest}`],
  };
}

/** Changes when the file does. */
function changed(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return `${mtimeMs}/${size}/${ino}`;
  } catch {
    return '-';
  }
}
