import { Command, InvalidArgumentError, Option } from 'commander';
import { type BenchReport, benchmark } from '../bench/report.js';
import { loadExperiment } from '../config/load.js';
import { type ModelOptions, PRECISIONS } from '../engines/engine.js';
import { chooseEngine, createEngine } from '../engines/select.js';
import { buildDenseNet } from '../networks/densenet.js';
import type { Network } from '../networks/network.js';
import { requireMemory } from '../training/memory.js';
import { networkOf } from '../training/model.js';
import { UserError } from '../util/errors.js';
import { formatBytes, formatCount } from '../util/format.js';
import { benchInputCommand } from './bench-input.js';
import { benchPeersCommand } from './bench-peers.js';
import {
  addConfigOptions,
  addEngineOptions,
  addTerminalOptions,
  type EngineCliOptions,
  engineLine,
  type TerminalOptions,
  type WideOption,
  wideOption,
} from './options.js';
import { print, printJson, tableLines } from './print.js';
import { terminalReporter } from './terminal.js';
import { countUpTo, list, positiveInteger, wholeNumber } from './values.js';

const EXAMPLES = `
Examples:
  densenet bench                                      a training step of DenseNet-BC (L=100, k=12), batch 64
  densenet bench --engine native --profile            where the time of a step goes
  densenet bench --config svhn-40-12 --mode predict
  densenet bench --depth 121 --growth-rate 32 --blocks 6,12,24,16 --input 3x224x224 --batch 8

Images are random numbers. Every number printed follows from the median step. To compare with PyTorch and Keras:
densenet bench peers --help. Photographs: densenet bench input --help.`;

interface BenchOptions extends TerminalOptions, EngineCliOptions, WideOption {
  readonly config?: string;
  readonly set: string[];
  readonly depth: number;
  readonly growthRate: number;
  readonly basic?: boolean;
  readonly blocks?: number[];
  readonly input: { channels: number; height: number; width: number };
  readonly classes: number;
  readonly batch: number;
  readonly steps: number;
  readonly warmup: number;
  readonly mode: 'train' | 'predict';
  readonly memoryEfficient?: boolean;
  readonly precision: ModelOptions['precision'];
  readonly compile?: boolean;
  readonly profile?: boolean;
}

export function benchCommand(): Command {
  const command = new Command('bench')
    .description('measure how fast a network trains or predicts here')
    .addHelpText('after', EXAMPLES)
    .addCommand(benchPeersCommand())
    .addCommand(benchInputCommand());
  addConfigOptions(command);
  command
    .addOption(networkOption('--depth <L>', 'layers').argParser(countUpTo(10_000)).default(100))
    .addOption(
      networkOption('--growth-rate <k>', 'channels a layer adds').argParser(countUpTo(10_000)).default(12),
    )
    .addOption(networkOption('--basic', 'no bottleneck and no compression'))
    .addOption(
      networkOption('--blocks <n,…>', 'layers of each block, with the ImageNet stem').argParser(integers),
    )
    .addOption(
      networkOption('--input <CxHxW>', 'shape of an image')
        .argParser(shape)
        .default({ channels: 3, height: 32, width: 32 }, '3x32x32'),
    )
    .addOption(networkOption('--classes <n>', 'outputs').argParser(countUpTo(100_000)).default(10))
    .option('--batch <n>', 'images per step', positiveInteger, 64)
    .option('--steps <n>', 'steps to measure', positiveInteger, 5)
    .option('--warmup <n>', 'steps to run before measuring', wholeNumber, 2)
    .addOption(new Option('--mode <mode>', 'what a step is').choices(['train', 'predict']).default('train'))
    .option('--memory-efficient', 'recompute in the backward pass instead of keeping')
    .addOption(
      new Option('--precision <type>', 'numbers that convolutions multiply')
        .choices(PRECISIONS)
        .default('float32'),
    )
    .option('--compile', 'let XLA compile the steps (TensorFlow engine)')
    .option('--profile', 'time of every stage and pass (native engine, training)')
    .addOption(wideOption());
  addEngineOptions(command);
  return addTerminalOptions(command).action(runBench);
}

/** An option that describes the network, as a config does. */
function networkOption(flags: string, description: string): Option {
  return new Option(flags, description).conflicts('config');
}

async function runBench(options: BenchOptions): Promise<void> {
  if (options.config === undefined && options.set.length > 0) {
    throw new UserError(
      'usage',
      `--set ${options.set[0]} needs --config: it changes a value of a config`,
      'Add --config, or describe the network by --depth, --growth-rate and the like.',
    );
  }
  if (options.profile && options.mode === 'predict') {
    throw new UserError(
      'usage',
      'only training steps can be profiled',
      'Leave out --profile or --mode predict.',
    );
  }
  const reporter = terminalReporter(options);
  const network = await benchNetwork(options);
  const choice = await chooseEngine(options);
  if (choice.device === 'cpu') requireMemory(network, options.batch, options.memoryEfficient ?? false);
  reporter.line(engineLine(choice));
  const {
    threads,
    setup,
    batch: batchSize,
    precision,
    compile,
    memoryEfficient = false,
    profile = false,
  } = options;
  const engine = await createEngine(choice, { threads, batchSize, precision, compile, setup, reporter });
  try {
    const report = await benchmark(engine, network, { ...options, memoryEfficient, profile, reporter });
    if (options.json) printJson(report);
    else print(reportLines(report, options));
  } finally {
    await engine.dispose();
  }
}

async function benchNetwork(options: BenchOptions): Promise<Network> {
  if (options.config !== undefined)
    return networkOf(await loadExperiment(options.config, { set: options.set }));
  const { depth, growthRate, basic, blocks, input, classes } = options;
  return buildDenseNet(
    { depth, growthRate, blocks, bottleneck: !basic, compression: basic ? 1 : 0.5, dropout: 0 },
    { ...input, classes },
  );
}

/** What the command prints, line by line. */
function reportLines(report: BenchReport, options: WideOption): string[] {
  const { stepMilliseconds: step, peakFlopsPerSecond: peak, shareOfPeak, machine, versions } = report;
  const what = report.mode === 'train' ? 'training' : 'prediction';
  const memory = report.memoryEfficient ? ', memory-efficient' : '';
  const speed = `${(report.flopsPerSecond / 1e9).toFixed(1)} GFLOP/s`;
  const share =
    peak === undefined || shareOfPeak === undefined
      ? ''
      : `, ${(100 * shareOfPeak).toFixed(1)} % of the measured peak of ${(peak / 1e9).toFixed(0)}`;
  const commit =
    versions.git && `, commit ${versions.git.commit.slice(0, 7)}${versions.git.dirty ? ' (changed)' : ''}`;
  return [
    `${report.network}: ${formatCount(report.parameters)} parameters, ${formatCount(report.multiplyAdds)} multiply-adds per image`,
    `${what}, batch ${report.batch}, ${report.precision}${memory}, ${report.engine.description}`,
    '',
    `images per second  ${report.imagesPerSecond.toFixed(1)}`,
    `step               ${step.median.toFixed(1)} ms, the median of ${step.n} (${step.min.toFixed(1)} to ${step.max.toFixed(1)})`,
    `speed              ${speed}${share}`,
    `peak memory        ${formatBytes(report.peakRssBytes)}`,
    ...profileLines(report, options),
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.platform}; densenet ${versions.densenet}${commit ?? ''}, Node ${versions.node}`,
  ];
}

function profileLines(
  { profile, stepMilliseconds, peakFlopsPerSecond }: BenchReport,
  options: WideOption,
): string[] {
  if (profile === undefined) return [];
  const columns = ['stage', 'pass', 'ms per step', 'share', 'GFLOP/s', 'of peak'];
  const total = profile.reduce((sum, { seconds }) => sum + seconds, 0);
  const rows = profile.map(({ stage, pass, seconds, operations }) => {
    const speed = operations > 0 && seconds > 0 ? operations / seconds : undefined;
    return [
      stage,
      pass,
      ((1000 * seconds) / stepMilliseconds.n).toFixed(2),
      `${((100 * seconds) / total).toFixed(1)} %`,
      speed === undefined ? '' : (speed / 1e9).toFixed(1),
      speed === undefined || peakFlopsPerSecond === undefined
        ? ''
        : `${((100 * speed) / peakFlopsPerSecond).toFixed(0)} %`,
    ];
  });
  return ['', ...tableLines({ columns, right: columns.slice(2), rows }, options)];
}

function shape(text: string): BenchOptions['input'] {
  const match = /^(\d+)x(\d+)x(\d+)$/.exec(text);
  const [channels, height, width] = (match ?? []).slice(1).map(Number);
  if (!channels || !height || !width)
    throw new InvalidArgumentError('Give channels, height and width: 3x32x32.');
  return { channels, height, width };
}

function integers(text: string): number[] {
  return list(text).map(countUpTo(10_000));
}
