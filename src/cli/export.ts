import { Command, Option } from 'commander';
import { EXPORT_FORMATS, type ExportFormat, exportedFile } from '../export/export.js';
import { OPSET } from '../export/onnx/messages.js';
import { loadWeights } from '../training/checkpoint.js';
import { networkOf } from '../training/model.js';
import { trainedMetadata, trainedText, warnIfUntrained } from '../training/trained.js';
import { writeFileAtomic } from '../util/files.js';
import { formatBytes } from '../util/format.js';
import {
  addConfigOptions,
  addTerminalOptions,
  checkpointOption,
  formerOption,
  outputFileOption,
  RUN,
  resultsOption,
  type TerminalOptions,
} from './options.js';
import { print, printJson } from './print.js';
import { findSubject, type SubjectOptions } from './subject.js';
import { terminalReporter } from './terminal.js';

const EXAMPLES = `
Examples:
  densenet export quickstart                                   the newest run of an experiment, for PyTorch
  densenet export quickstart --format onnx --checkpoint best --output best.onnx
  densenet export --config imagenet-densenet-121 --weights densenet121.safetensors --format onnx

safetensors: every entry of torchvision's state dict, which a strict load_state_dict takes. onnx: the network in
evaluation mode, opset ${OPSET}, from images [batch, C, H, W], normalised, to logits [batch, classes]. Both say in
their metadata how images are normalised, what the classes are, and the epoch that the weights are of.
docs/weights.md shows their use.`;

interface ExportOptions extends TerminalOptions, SubjectOptions {
  readonly format: ExportFormat;
  readonly output?: string;
}

export function exportCommand(): Command {
  const command = new Command('export')
    .description('write the weights of a run as safetensors for PyTorch, or its network as ONNX')
    .argument('[run]', RUN)
    .addHelpText('after', EXAMPLES)
    .addOption(
      new Option('--format <format>', 'what to write').choices([...EXPORT_FORMATS]).default('safetensors'),
    )
    .addOption(outputFileOption("the file to write (default: the experiment's name in this folder)"))
    .addOption(formerOption('--out <file>', '--output'))
    .addOption(checkpointOption())
    .addOption(resultsOption());
  addConfigOptions(command).option(
    '--weights <file>',
    'export this .safetensors or .npz file, with --config',
  );
  return addTerminalOptions(command).action(runExport);
}

async function runExport(run: string | undefined, options: ExportOptions): Promise<void> {
  const reporter = terminalReporter(options);
  const { experiment, weights: source } = await findSubject('export', run, options, reporter);
  const network = networkOf(experiment);
  const { weights, trained } = await loadWeights(source, network);
  warnIfUntrained(reporter, source, trained);
  const { format, output = `${experiment.name}.${format}` } = options;
  const bytes = exportedFile(format, experiment, network, weights, trainedMetadata(trained));
  await writeFileAtomic(output, bytes);
  if (options.json) {
    printJson({
      file: output,
      format,
      bytes: bytes.length,
      network: network.title,
      weights: source,
      trained,
    });
    return;
  }
  const line = `${output}: ${network.title} as ${format}, ${formatBytes(bytes.length)}, from ${source}`;
  print([line, trainedText(trained)].filter(Boolean).join(', of '));
}
