import { Command } from 'commander';
import { loadExperiment } from '../config/load.js';
import { activationBytes, multiplyAdds, parameterCount } from '../networks/counts.js';
import type { FeatureShape } from '../networks/network.js';
import { type Table1Row, table1 } from '../networks/table1.js';
import { networkOf } from '../training/open.js';
import { formatBytes, formatCount } from '../util/format.js';
import { addCommonOptions, type CommonOptions, collect, positiveInteger, printJson } from './options.js';
import { formatTable } from './table.js';
import { terminalReporter } from './terminal.js';

const EXAMPLES = `
Examples:
  densenet describe cifar10-bc-100-12
  densenet describe my.yaml --set network.depth=40 --set network.growthRate=24
  densenet describe quickstart --batch 1 --json

Multiply-adds are of one image: convolutions and the fully connected layer. Activations are the feature maps
that the backward pass of one batch needs, each stored once in float32.`;

interface DescribeOptions extends CommonOptions {
  readonly set: string[];
  readonly batch?: number;
}

export function describeCommand(): Command {
  const command = new Command('describe')
    .description("print a config's network as the paper's Table 1 prints it, with what it costs")
    .argument('<config>', 'a config file, or the bare name of one in configs/')
    .option('--set <path=value>', 'change one value of the config; may be repeated', collect, [] as string[])
    .option(
      '--batch <n>',
      "images of the batch that activations are counted for (default: the config's)",
      positiveInteger,
    )
    .addHelpText('after', EXAMPLES);
  return addCommonOptions(command).action(runDescribe);
}

async function runDescribe(config: string, options: DescribeOptions): Promise<void> {
  const experiment = await loadExperiment(config, { set: options.set });
  const network = networkOf(experiment);
  const rows = table1(network);
  const batch = options.batch ?? experiment.training.batchSize;
  const total = {
    parameters: parameterCount(network),
    multiplyAdds: multiplyAdds(network),
    activationBytes: activationBytes(network, batch),
  };
  if (options.json) {
    printJson({ name: experiment.name, network: network.title, ...total, batch, stages: rows.map(jsonRow) });
    return;
  }
  const { line } = terminalReporter({ ...options, quiet: false });
  const { channels, height, width } = network.input;
  line(
    `${network.title} on ${experiment.dataset.name}: ${channels}×${height}×${width}, ${network.classes} classes`,
  );
  if (experiment.description) line(experiment.description);
  line('');
  const inputBytes = 4 * batch * channels * height * width;
  const input = ['Input', size(network.input), `${channels}`, '', '', '', formatBytes(inputBytes)];
  const cells = rows.flatMap((row) => textRows(row, batch));
  formatTable(HEADER, [input, ...cells], COUNTS).forEach(line);
  line('');
  line(`Parameters      ${formatCount(total.parameters)}`);
  line(`Multiply-adds   ${formatCount(total.multiplyAdds)} an image`);
  line(`Activations     ${formatBytes(total.activationBytes)} for a batch of ${batch}`);
  if (experiment.paper) {
    const { table, row, column, error } = experiment.paper;
    line(`Paper           ${error.toFixed(2)} % test error (Table ${table}, ${row}, ${column})`);
  }
}

const COUNTS = ['Output', 'Channels', 'Parameters', 'Multiply-adds', 'Activations'];
const HEADER = ['Layers', 'Output', 'Channels', '', 'Parameters', 'Multiply-adds', 'Activations'];

function textRows(row: Table1Row, batch: number): string[][] {
  return row.layers.map(({ text, output }, index) => [
    index === 0 ? row.name : '',
    size(output),
    `${output.channels}`,
    text,
    index === 0 ? formatCount(row.parameters) : '',
    index === 0 ? formatCount(row.multiplyAdds) : '',
    index === 0 ? formatBytes(4 * batch * row.activations) : '',
  ]);
}

function size({ height, width }: FeatureShape): string {
  return `${height}×${width}`;
}

function jsonRow({ name, layers, output, parameters, multiplyAdds, activations }: Table1Row) {
  return { name, layers: layers.map(({ text }) => text), output, parameters, multiplyAdds, activations };
}
