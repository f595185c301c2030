import { Command } from 'commander';
import { imageFiles } from '../datasets/folder/image-files.js';
import { chooseEngine } from '../engines/select.js';
import { type ClassProbability, type ImagePredictions, predictImages } from '../training/predict.js';
import { trainedText } from '../training/trained.js';
import { csv } from '../util/csv.js';
import { diskError } from '../util/disk-errors.js';
import { UserError } from '../util/errors.js';
import { checkWritable, statOf, writeFileAtomic } from '../util/files.js';
import { textWidth } from '../util/text-table.js';
import {
  addConfigOptions,
  addEngineOptions,
  addTerminalOptions,
  checkpointOption,
  type EngineCliOptions,
  engineLine,
  outputFileOption,
  resultsOption,
  skipBadImagesOption,
  skippedLines,
  type TerminalOptions,
} from './options.js';
import { print, printJson, terminalWidth } from './print.js';
import { findSubject, type SubjectOptions } from './subject.js';
import { terminalReporter } from './terminal.js';
import { positiveInteger } from './values.js';

const EXAMPLES = `
Examples:
  densenet predict quickstart shoe.png                       by the newest run of an experiment
  densenet predict cifar10plus-bc-100-12 photos/             every image in a folder
  densenet predict --config imagenet-densenet-121 --weights densenet121.safetensors cat.jpg
  densenet predict quickstart photos/ --output seen.csv      file, classes and probabilities

A network for small images is given the centre of an image, its shorter side scaled to the network's input; one for
photographs is given what it is given in testing. Probabilities are the softmax of the logits: the network's
confidence, not how often it is right.`;

interface PredictCliOptions extends TerminalOptions, EngineCliOptions, SubjectOptions {
  readonly top: number;
  readonly output?: string;
  readonly skipBadImages?: boolean;
}

export function predictCommand(): Command {
  const command = new Command('predict')
    .description('classify image files with a trained network')
    .argument('<run-or-image...>', 'a run, then image files or folders of them; with --weights, images only')
    .addHelpText('after', EXAMPLES);
  addConfigOptions(command);
  command.addOption(resultsOption()).addOption(skipBadImagesOption());
  addEngineOptions(command)
    .option('--weights <file>', 'use this .safetensors or .npz file, with --config')
    .addOption(checkpointOption())
    .option('--top <n>', 'how many of the likeliest classes to print', positiveInteger, 5)
    .addOption(outputFileOption('write file, classes and probabilities to this CSV file'));
  return addTerminalOptions(command).action(runPredict);
}

async function runPredict(names: string[], options: PredictCliOptions): Promise<void> {
  const reporter = terminalReporter(options);
  const run = options.weights === undefined ? names[0] : undefined;
  const images = names.slice(run === undefined ? 0 : 1);
  const subject = await findSubject('predict', run, options, reporter);
  const files = (await Promise.all(images.map(filesOf))).flat();
  if (files.length === 0) {
    throw new UserError(
      'usage',
      'there is no image to look at',
      'Name image files, or folders that hold some.',
    );
  }
  if (options.output) await checkWritable(options.output);
  const choice = await chooseEngine(options);
  reporter.line(engineLine(choice));
  const predictions = await predictImages(subject.experiment, subject.weights, files, {
    ...options,
    choice,
    reporter,
  });
  if (options.output) await writeFileAtomic(options.output, [csvText(predictions)]);
  if (options.json)
    printJson({ experiment: subject.experiment.name, weights: subject.weights, ...predictions });
  else print(predictionLines(predictions, subject.weights));
  if (options.output) reporter.line(`Predictions: ${options.output}`);
}

/** A file as it is; of a folder the images that a dataset would have, by name. */
async function filesOf(path: string): Promise<string[]> {
  const found = await statOf(path).catch((error: unknown) => {
    throw diskError(error, `cannot read ${path}`, 'name another file');
  });
  if (found === undefined) {
    throw new UserError('data', `there is no file ${path}`, 'Name image files, or folders that hold some.');
  }
  if (!found.isDirectory()) return [path];
  const { images } = await imageFiles(path, 'name another folder');
  return images.map((image) => image.path);
}

function csvText({ images }: ImagePredictions): string {
  const rows = images.map(({ file, classes }) => ({
    file,
    ...Object.assign(
      {},
      ...classes.map(({ name, probability }, n) => ({
        [`class_${n + 1}`]: name,
        [`probability_${n + 1}`]: probability.toFixed(6),
      })),
    ),
  }));
  return csv(Object.keys(rows[0] ?? { file: '' }), rows);
}

function predictionLines(
  { network, trained, images, skippedImages }: ImagePredictions,
  weights: string,
): string[] {
  return [
    [`${network}, weights ${weights}`, trainedText(trained)].filter(Boolean).join(', of '),
    ...images.flatMap(({ file, classes }) => ['', file, ...classes.map((one) => classLine(one, classes))]),
    ...skippedLines(skippedImages),
  ];
}

/** Columns of a bar of probability 1, at most. */
const BAR = 30;

/** `  Sneaker      93.1 %  ████████████████████████████` */
function classLine({ name, probability }: ClassProbability, all: readonly ClassProbability[]): string {
  const width = Math.max(...all.map((one) => textWidth(one.name)));
  const percent = (100 * probability).toFixed(1).padStart(5);
  const text = `  ${name}${' '.repeat(width - textWidth(name))}  ${percent} %  `;
  const room = (terminalWidth() ?? Number.POSITIVE_INFINITY) - textWidth(text);
  const bar = '█'.repeat(Math.max(0, Math.round(Math.min(BAR, room) * probability)));
  return `${text}${bar}`.trimEnd();
}
