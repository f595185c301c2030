import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { findRunFolder, listRunFolders } from '../runs/folders.js';
import { removeRuns } from '../runs/remove.js';
import { type RunRecord, readRunRecord } from '../runs/run-records.js';
import { updateTables } from '../tables/write.js';
import { UserError } from '../util/errors.js';
import { printableLine } from '../util/printable.js';
import { addTerminalOptions, RUNS, resultsOption, type TerminalOptions } from './options.js';
import { print, printJson } from './print.js';
import { terminalReporter } from './terminal.js';

interface RemoveOptions extends TerminalOptions {
  readonly results: string;
  readonly yes?: boolean;
  readonly takeOver?: boolean;
}

export function runsRemoveCommand(): Command {
  const command = new Command('rm')
    .description('remove runs with all their files; asks first')
    .argument('<run...>', RUNS)
    .addOption(resultsOption())
    .option('--yes', 'do not ask')
    .option(
      '--take-over',
      'assume that processes training these runs on another host are gone, and remove them',
    );
  return addTerminalOptions(command).action(runRemove);
}

async function runRemove(references: string[], options: RemoveOptions): Promise<void> {
  const { results, yes, takeOver = false } = options;
  const folders = await Promise.all(references.map((reference) => findRunFolder(results, reference)));
  const unique = folders.filter(
    (folder, index) => folders.findIndex(({ path }) => path === folder.path) === index,
  );
  const known = await listRunFolders(results);
  const stranger = unique.find(({ path }) => !known.some((run) => run.path === path));
  if (stranger) {
    throw new UserError(
      'usage',
      `${stranger.name} is not a run in ${results}`,
      'Only runs of a folder of results are removed; it is given with --results DIR.',
    );
  }
  if (!yes && !(await confirmed(unique.map(readRunRecord)))) {
    if (options.json) printJson({ removed: [] });
    else print('Nothing was removed.');
    return;
  }
  try {
    await removeRuns(unique, { takeOver });
  } finally {
    await updateTables(results, terminalReporter(options));
  }
  if (options.json) printJson({ removed: unique.map(({ name }) => name) });
  else print(unique.map(({ name }) => `Removed ${name}`));
}

/** Asks on the terminal. Throws a UserError (usage) where there is none. */
async function confirmed(records: readonly RunRecord[]): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new UserError('usage', 'there is no terminal on which to ask', 'To remove them without: --yes');
  }
  for (const record of records) process.stderr.write(`  ${printableLine(summary(record))}\n`);
  // Ctrl-C stays a signal.
  const terminal = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    const count = records.length === 1 ? 'this run' : `these ${records.length} runs`;
    return /^y(es)?$/i.test((await terminal.question(`Remove ${count} for good? [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

/** `quickstart/20261124-101500-seed-1, finished, 8 epochs, test error 12.50 %` */
function summary({ folder, status, epochs, result }: RunRecord): string {
  const error = result?.reported && `test error ${result.reported.error.toFixed(2)} %`;
  return [folder.name, status, `${epochs.length} epochs`, error].filter(Boolean).join(', ');
}
