import { Command, Option } from 'commander';
import { chooseEngine } from '../engines/select.js';
import { CROPS } from '../input/ten-crop.js';
import { resultsFolderOf } from '../runs/folders.js';
import {
  areItsImages,
  type EvaluatedRun,
  keepEvaluation,
  keepTenCrop,
  wouldBeResult,
} from '../runs/keep-evaluation.js';
import { type PredictionRow, writePredictions } from '../runs/predictions.js';
import { paperErrors, paperLine } from '../tables/paper-errors.js';
import { updateTables } from '../tables/write.js';
import { confusionCsv } from '../training/confusion.js';
import {
  evaluateWeights,
  SPLITS,
  type SplitName,
  type WeightsEvaluation,
} from '../training/evaluate-weights.js';
import { top5Note } from '../training/narrate.js';
import { trainedText } from '../training/trained.js';
import { UserError } from '../util/errors.js';
import { checkWritable, isSameFile, writeFileAtomic } from '../util/files.js';
import { formatCount } from '../util/format.js';
import type { Reporter } from '../util/reporter.js';
import {
  addConfigOptions,
  addEngineOptions,
  addInputOptions,
  addTerminalOptions,
  checkpointOption,
  dataOption,
  type EngineCliOptions,
  engineLine,
  fileOption,
  formerOption,
  type InputCliOptions,
  outputFileOption,
  RUN,
  resultsOption,
  skippedLines,
  subsetOption,
  type TerminalOptions,
  type WideOption,
  wideOption,
} from './options.js';
import { print, printJson, tableLines } from './print.js';
import { findSubject, type Subject, type SubjectOptions } from './subject.js';
import { terminalReporter } from './terminal.js';

const EXAMPLES = `
Examples:
  densenet eval quickstart                                  the newest run of an experiment, its last epoch
  densenet eval quickstart --checkpoint best --split train
  densenet eval --config imagenet-densenet-121 --weights densenet121.safetensors
  densenet eval quickstart --output predictions.csv         index, label, predicted class and all logits
  densenet eval quickstart --confusion confusion.csv        the confusion matrix
  densenet eval imagenet-densenet-121 --ten-crop            as the 10-crop columns of the paper's Table 3

Ten crops are the corners and the centre of an image and of its mirror image; their logits are added. The result of
a finished run is kept in its folder as ten-crop.json, apart from that of a single crop, and enters the tables.
Logits and the loss are then of the mean logits. The top-5 error is counted for datasets of 20 classes or more.`;

interface EvalOptions extends TerminalOptions, EngineCliOptions, InputCliOptions, SubjectOptions, WideOption {
  readonly data?: string;
  readonly split: SplitName;
  readonly subset?: number;
  readonly tenCrop?: boolean;
  readonly output?: string;
  readonly confusion?: string;
}

/** Mistakes that a report shows. */
const MISTAKES = 12;

export function evalCommand(): Command {
  const command = new Command('eval')
    .description('evaluate a run, or weights from a file')
    .argument('[run]', RUN)
    .addHelpText('after', EXAMPLES);
  addConfigOptions(command);
  command.addOption(resultsOption()).addOption(dataOption());
  addInputOptions(command);
  addEngineOptions(command)
    .option('--weights <file>', 'evaluate this .safetensors or .npz file, with --config')
    .addOption(checkpointOption())
    .addOption(new Option('--split <split>', 'which images').choices([...SPLITS]).default('test'))
    .addOption(subsetOption("use the first N images only (default: as many as the run's)"))
    .option('--ten-crop', 'judge each image by ten crops (ImageNet)')
    .addOption(outputFileOption('write the prediction for every image, with its logits, to this CSV file'))
    .addOption(fileOption('--confusion <file>', 'write the confusion matrix to this CSV file'))
    .addOption(wideOption())
    .addOption(formerOption('--predictions <file>', '--output'));
  return addTerminalOptions(command).action(runEval);
}

async function runEval(run: string | undefined, options: EvalOptions): Promise<void> {
  const reporter = terminalReporter(options);
  const subject = await findSubject('eval', run, options, reporter);
  const subset = options.subset ?? subject.subset;
  for (const path of [options.output, options.confusion]) if (path) await checkWritable(path);
  await refuseOneFile(options);
  const choice = await chooseEngine(options);
  reporter.line(engineLine(choice));
  const predictions: PredictionRow[] = [];
  const keeps = subject.run && wouldBeResult(subject.run.result, options) ? subject.run : undefined;
  const evaluation = await evaluateWeights(subject.experiment, subject.weights, {
    choice,
    threads: options.threads,
    workers: options.workers,
    skipBadImages: options.skipBadImages,
    folder: options.data,
    setup: options.setup,
    reporter,
    split: options.split,
    tenCrop: options.tenCrop,
    subset,
    mistakes: keeps && !options.tenCrop ? MISTAKES : undefined,
    onPrediction: options.output ? (prediction) => predictions.push(prediction) : undefined,
  });
  if (keeps) await keep(keeps, evaluation, options, reporter);
  if (options.output) await writePredictions(options.output, predictions);
  if (options.confusion) {
    await writeFileAtomic(options.confusion, confusionCsv(evaluation.confusion, evaluation.classNames));
  }
  const crops = options.tenCrop ? CROPS : 1;
  if (options.json) {
    const { experiment, weights } = subject;
    const paper = options.split === 'test' ? paperErrors(experiment, evaluation.count, crops > 1) : undefined;
    printJson({
      experiment: experiment.name,
      weights,
      split: options.split,
      crops,
      subset,
      paper,
      ...evaluation,
      confusion: undefined,
      mistakes: undefined,
      digest: undefined,
    });
    return;
  }
  const lines = evaluationLines(evaluation, options, subject);
  print(lines);
  if (options.output) reporter.line(`Predictions: ${options.output}`);
  if (options.confusion) reporter.line(`Confusion matrix: ${options.confusion}`);
}

/** Keeps a result of a run in its folder; says so where the images were not the run's. */
async function keep(
  run: EvaluatedRun,
  evaluation: WeightsEvaluation,
  { tenCrop, results }: EvalOptions,
  reporter: Reporter,
): Promise<void> {
  if (!areItsImages(run.folder, evaluation)) {
    reporter.warn(`not kept with the run ${run.folder.name}: these are not all of the images that it has`);
  } else if (tenCrop) {
    const kept = await keepTenCrop(run, evaluation);
    const tables = await updateTables(resultsFolderOf(run.folder, results), reporter);
    reporter.line(`Kept in ${kept}; tables: ${tables.join(', ')}`);
  } else {
    const confusion = evaluation.confusion.entries();
    reporter.line(`Kept for reports in ${await keepEvaluation(run, { ...evaluation, confusion })}`);
  }
}

/** Throws a UserError (usage) where one file is to hold both the predictions and the confusion matrix. */
async function refuseOneFile({ output, confusion }: EvalOptions): Promise<void> {
  if (!output || !confusion || !(await isSameFile(output, confusion))) return;
  throw new UserError(
    'usage',
    `--output and --confusion both write to ${output}`,
    'Give each a file of its own.',
  );
}

function evaluationLines(
  evaluation: WeightsEvaluation,
  options: EvalOptions,
  { weights, experiment }: Subject,
): string[] {
  const { split, tenCrop } = options;
  const { classNames, classes, count, error, top5Error, loss, network, trained } = evaluation;
  const rows = classes.map(({ count, wrong, precision, recall, f1 }, c) => [
    classNames[c]!,
    `${count}`,
    `${wrong}`,
    count > 0 ? `${((100 * wrong) / count).toFixed(2)} %` : '',
    ...[precision, recall, f1].map((score) => score?.toFixed(3) ?? ''),
  ]);
  const columns = ['class', 'images', 'wrong', 'error', 'precision', 'recall', 'F1'];
  const paper = split === 'test' ? paperLine(experiment, evaluation, tenCrop ?? false) : undefined;
  return [
    [`${network}, weights ${weights}`, trainedText(trained)].filter(Boolean).join(', of '),
    '',
    ...tableLines({ columns, right: columns.slice(1), rows }, options),
    '',
    `${split} error${tenCrop ? ' of ten crops' : ''} ${error.toFixed(2)} %${top5Note(top5Error)}, loss ${loss.toFixed(4)}, ${formatCount(count)} images`,
    `expected calibration error ${(100 * evaluation.calibration.error).toFixed(2)} % (Guo et al., 2017, 15 bins)`,
    ...(paper === undefined ? [] : [paper]),
    ...skippedLines(evaluation.skippedImages),
  ];
}
