import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import type { InputBenchReport } from '../bench/input/rates.js';
import { dataFolder, datasetStatus } from '../datasets/index.js';
import { refuseUnused } from './inherited-options.js';
import { dataOption, workersOption } from './options.js';
import { print, printJson } from './print.js';
import { positiveInteger } from './values.js';

const EXAMPLES = `
Examples:
  densenet bench input                          ImageNet's images if they are here, else synthetic ones
  densenet bench input --workers 1 --rounds 5

Prints training images per second (crop, colours, lighting, mirror), beside what sharp alone reaches on as many threads
when it reads, decodes, crops and scales the same parts of the same files. The two take turns in one run.`;

interface InputOptions {
  readonly data?: string;
  readonly images: number;
  readonly rounds: number;
  readonly workers?: number;
  /** Of `bench`, as `json`. */
  readonly batch: number;
  readonly json?: boolean;
}

export function benchInputCommand(): Command {
  return new Command('input')
    .description('measure how fast photographs are decoded and augmented, beside sharp alone')
    .addOption(dataOption())
    .option('--images <n>', 'images per round', positiveInteger, 500)
    .option('--rounds <n>', 'rounds to measure, after one to warm up', positiveInteger, 5)
    .addOption(workersOption())
    .addHelpText('after', EXAMPLES)
    .action((_, command: Command) => {
      refuseUnused(command, ['batch', 'json', 'quiet']);
      return runBenchInput(command.optsWithGlobals<InputOptions>());
    });
}

async function runBenchInput(options: InputOptions): Promise<void> {
  const { openPhotographs } = await import('../bench/input/photographs.js');
  const { benchInput } = await import('../bench/input/rates.js');
  const folder = dataFolder(options.data);
  const { present } = await datasetStatus('imagenet', folder);
  const photographs = await openPhotographs(present, folder);
  try {
    const workers = options.workers ?? availableParallelism();
    const report = await benchInput(photographs, { ...options, workers });
    if (options.json) printJson(report);
    else print(lines(report));
  } finally {
    await photographs.close();
  }
}

function lines({
  data,
  images,
  batch,
  workers,
  pipeline,
  sharp,
  ratio,
  machine,
}: InputBenchReport): string[] {
  const row = (name: string, { median, min, max, n }: InputBenchReport['sharp']) =>
    `${name.padEnd(14)} ${median.toFixed(0)} images per second, the median of ${n} (${min.toFixed(0)} to ${max.toFixed(0)})`;
  return [
    `${data}; ${images} images per round in batches of ${batch}, ${workers} ${workers === 1 ? 'thread' : 'threads'}`,
    '',
    row('this program', pipeline),
    row('sharp alone', sharp),
    `ratio          ${ratio.toFixed(2)}`,
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.platform}`,
  ];
}
