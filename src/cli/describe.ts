import { Command } from 'commander';
import { loadExperiment } from '../config/load.js';
import type { Experiment } from '../config/schema.js';
import { activationBytes, multiplyAdds, parameterCount } from '../networks/counts.js';
import type { FeatureShape, Network } from '../networks/network.js';
import { type StageRow, stageTable } from '../networks/stage-table.js';
import { describe } from '../training/describe.js';
import { microBatchSize, networkOf } from '../training/model.js';
import { formatBytes, formatCount } from '../util/format.js';
import {
  addTerminalOptions,
  CONFIG,
  setOption,
  type TerminalOptions,
  type WideOption,
  wideOption,
} from './options.js';
import { print, printJson, tableLines } from './print.js';
import { positiveInteger } from './values.js';

const EXAMPLES = `
Examples:
  densenet describe cifar10-bc-100-12
  densenet describe my.yaml --set network.depth=40 --set network.growthRate=24
  densenet describe quickstart --batch 1 --json

Multiply-adds are of one image: convolutions and the fully connected layer. Activations are the feature maps
that the backward pass of one batch needs, each stored once in float32.`;

interface DescribeOptions extends TerminalOptions, WideOption {
  readonly set: string[];
  readonly batch?: number;
}

export function describeCommand(): Command {
  const command = new Command('describe')
    .description("print a config's network as the paper's Table 1 prints it, with what it costs")
    .argument('<config>', CONFIG)
    .addOption(setOption())
    .option(
      '--batch <n>',
      "batch size that activations are counted for (default: the config's batch, or micro-batch)",
      positiveInteger,
    )
    .addOption(wideOption())
    .addHelpText('after', EXAMPLES);
  return addTerminalOptions(command).action(runDescribe);
}

async function runDescribe(config: string, options: DescribeOptions): Promise<void> {
  const experiment = await loadExperiment(config, { set: options.set });
  const batch = options.batch ?? microBatchSize(experiment);
  if (options.json) printJson(describe(experiment, batch));
  else print(descriptionLines(experiment, networkOf(experiment), batch, options));
}

/** What the command prints, line by line. */
export function descriptionLines(
  experiment: Experiment,
  network: Network,
  batch: number,
  options?: WideOption,
): string[] {
  const { name, description, dataset, paper } = experiment;
  const { batchSize, accumulate } = experiment.training;
  const { channels, height, width } = network.input;
  const images = formatBytes(bytes(channels * height * width, batch));
  const input = ['Input', size(network.input), `${channels}`, '', '', '', images];
  const cells = stageTable(network).flatMap((row) => textRows(row, batch));
  return [
    `${name}: ${network.title} on ${dataset.path ?? dataset.name}, ${network.classes} classes`,
    ...(description ? [description] : []),
    '',
    ...tableLines({ columns: HEADER, right: COUNTS, drop: DROP, rows: [input, ...cells] }, options),
    '',
    `Parameters     ${formatCount(parameterCount(network))}`,
    `Multiply-adds  ${formatCount(multiplyAdds(network))} per image`,
    `Activations    ${formatBytes(activationBytes(network, batch))} for a batch of ${batch}`,
    ...(accumulate > 1
      ? [
          `Step           ${batchSize} images by ${accumulate} micro-batches of ${batchSize / accumulate}; each has its own batch statistics`,
        ]
      : []),
    ...(paper
      ? [
          `Paper          ${paper.error.toFixed(2)} % test error (Table ${paper.table}, ${paper.row}, ${paper.column})`,
        ]
      : []),
  ];
}

const COUNTS = ['Output size', 'Channels', 'Parameters', 'Multiply-adds', 'Activations'];
const HEADER = ['Layers', 'Output size', 'Channels', '', 'Parameters', 'Multiply-adds', 'Activations'];
const DROP = ['Activations', 'Multiply-adds', 'Channels', 'Parameters', 'Output size'];

function textRows(row: StageRow, batch: number): string[][] {
  return row.layers.map(({ text, output }, index) => {
    const shape = [size(output), `${output.channels}`, text];
    if (index > 0) return ['', ...shape, '', '', ''];
    const activations = formatBytes(bytes(row.activations, batch));
    return [row.title, ...shape, formatCount(row.parameters), formatCount(row.multiplyAdds), activations];
  });
}

function size({ height, width }: FeatureShape): string {
  return `${height}×${width}`;
}

function bytes(values: number, batch: number): number {
  return values * batch * Float32Array.BYTES_PER_ELEMENT;
}
