import { dirname } from 'node:path';
import { Command } from 'commander';
import { findRunFolder } from '../runs/folders.js';
import { type RunRecord, readRunRecord } from '../runs/run-records.js';
import { makeFolder, writeFileAtomic } from '../util/files.js';
import { formatBytes } from '../util/format.js';
import {
  addTerminalOptions,
  outputFileOption,
  RUNS,
  resultsOption,
  type TerminalOptions,
} from './options.js';
import { printJson } from './print.js';
import { terminalReporter } from './terminal.js';

const EXAMPLES = `
Examples:
  densenet report quickstart
  densenet report RUN RUN RUN --output comparison.html

The page holds the results, learning curves, tables, heat maps of feature reuse, configs and environments of the
runs. It is one file, needs no network, and is smaller than 3 MB.`;

interface ReportOptions extends TerminalOptions {
  readonly results: string;
  readonly output: string;
  readonly heatMaps: boolean;
}

export function reportCommand(): Command {
  const command = new Command('report')
    .description('write one HTML page about runs, for reading and for sending')
    .argument('<run...>', RUNS)
    .addOption(outputFileOption('the page').default('report.html'))
    .addOption(resultsOption())
    .option('--no-heat-maps', 'leave out the heat maps of feature reuse')
    .addHelpText('after', EXAMPLES);
  return addTerminalOptions(command).action(runReport);
}

async function runReport(references: string[], options: ReportOptions): Promise<void> {
  const records: RunRecord[] = [];
  for (const reference of references)
    records.push(await readRunRecord(await findRunFolder(options.results, reference)));
  const { gatherReport } = await import('../report/report.js');
  const { reportPage } = await import('../report/page.js');
  const reporter = terminalReporter(options);
  const page = reportPage(await gatherReport(records, { ...options, reporter }));
  await makeFolder(dirname(options.output), 'choose another place with --output FILE');
  await writeFileAtomic(options.output, page);
  const bytes = Buffer.byteLength(page);
  if (options.json)
    printJson({ file: options.output, bytes, runs: records.map(({ folder }) => folder.name) });
  else reporter.line(`Report: ${options.output} (${formatBytes(bytes)})`);
}
