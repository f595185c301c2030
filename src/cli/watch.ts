import { Command, Option } from 'commander';
import { findRunFolder } from '../runs/folders.js';
import { expandSweep } from '../sweep/expand.js';
import { sweepNames } from '../sweep/names.js';
import { sweepDefinition } from '../sweep/request.js';
import { EXIT, UserError } from '../util/errors.js';
import { silent } from '../util/reporter.js';
import { stopInOrder } from './interrupt.js';
import {
  addInputOptions,
  addTerminalOptions,
  dataOption,
  type InputCliOptions,
  RUN,
  resultsOption,
  type TerminalOptions,
} from './options.js';
import { print, printJson } from './print.js';
import { terminalReporter } from './terminal.js';
import { countUpTo } from './values.js';

const EXAMPLES = `
Examples:
  densenet watch                                      every run in progress, and a table of all
  densenet watch quickstart --port 8080               one run: the newest of an experiment
  densenet watch --sweep table2                       the runs of a sweep, also those that have not begun

The page shows learning curves, progress, the time left and the last lines of the log. It reads the run folders, so
runs may be trained by other processes, and on other hosts that share the folder. It can be opened on this machine
only, by everyone who is logged in there; from another: ssh -L 8080:127.0.0.1:8080 HOST. Ctrl-C ends the server,
not the runs.`;

interface WatchCliOptions extends TerminalOptions, InputCliOptions {
  readonly port?: number;
  readonly results: string;
  readonly sweep?: string;
  readonly data?: string;
}

export function watchCommand(): Command {
  const command = new Command('watch')
    .description('show runs as they go, on a page for the browser')
    .argument('[run]', RUN)
    .option('--port <n>', 'port on this machine (default: a free one)', countUpTo(65_535))
    .addOption(
      new Option('--sweep <file>', `the runs of a sweep file, or of one of ${sweepNames().join(', ')}`),
    )
    .addOption(resultsOption())
    .addOption(dataOption())
    .addHelpText('after', EXAMPLES);
  return addTerminalOptions(addInputOptions(command)).action(runWatch);
}

async function runWatch(reference: string | undefined, options: WatchCliOptions): Promise<void> {
  const { results: resultsFolder, sweep: file, port = 0 } = options;
  if (reference !== undefined && file !== undefined) {
    throw new UserError('usage', 'a run and --sweep exclude each other', 'Give one of them, or none.');
  }
  const run = reference === undefined ? undefined : await findRunFolder(resultsFolder, reference);
  const { data: folder, workers, skipBadImages } = options;
  const reporter = terminalReporter(options);
  const contents = { folder, workers, skipBadImages, reporter };
  const sweep =
    file === undefined ? undefined : await expandSweep(await sweepDefinition({ file, set: [] }), contents);
  const { startWatching } = await import('../watch/server.js');
  const signal = stopInOrder(silent, '');
  const title = run?.name ?? file ?? `Runs in ${resultsFolder}`;
  const onProblem = (message: string) => reporter.warn(message);
  const { url, ended } = await startWatching({ resultsFolder, run, sweep, port, title, signal, onProblem });
  if (options.json) printJson({ url });
  else print(`Open ${url} in a browser. Ctrl-C ends this server.`);
  await ended;
  // It is how watching ends.
  if (process.exitCode === EXIT.interrupted) process.exitCode = EXIT.ok;
}
