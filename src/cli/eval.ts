import { Command, Option } from 'commander';
import { loadExperiment, parseExperiment } from '../config/load.js';
import type { Experiment } from '../config/schema.js';
import { chooseEngine } from '../engines/select.js';
import { CROPS } from '../input/ten-crop.js';
import { type PredictionRow, writePredictions } from '../results/predictions.js';
import {
  findRunFolder,
  type RunFolder,
  type RunResult,
  readRunJson,
  type TenCropResult,
} from '../results/run-folder.js';
import { updateTables } from '../results/tables.js';
import { evaluateWeights, SPLITS, type SplitName, type WeightsEvaluation } from '../training/evaluation.js';
import { top5Note } from '../training/narrate.js';
import { UserError } from '../util/errors.js';
import { formatCount } from '../util/format.js';
import { packageVersion } from '../util/package.js';
import type { Reporter } from '../util/reporter.js';
import {
  addCommonOptions,
  addConfigOptions,
  addEngineOptions,
  addFolderOptions,
  type CommonOptions,
  type EngineCliOptions,
  engineLine,
  positiveInteger,
  printJson,
} from './options.js';
import { formatTable } from './table.js';
import { terminalReporter } from './terminal.js';

const EXAMPLES = `
Examples:
  densenet eval quickstart                                  the newest run of an experiment, its last epoch
  densenet eval quickstart --checkpoint best --split train
  densenet eval --config cifar10-bc-100-12 --weights weights.safetensors
  densenet eval quickstart --predictions predictions.csv    index, label, predicted class and all logits
  densenet eval imagenet-densenet-121 --ten-crop            as the 10-crop columns of the paper's Table 3

Ten crops are the corners and the centre of an image and of its mirror image; their logits are added. The result of
a finished run is kept in its folder as ten-crop.json, apart from that of a single crop, and enters the tables.
Logits and the loss are then of the mean logits. The top-5 error is counted for datasets of 20 classes or more.`;

interface EvalOptions extends CommonOptions, EngineCliOptions {
  readonly config?: string;
  readonly set: string[];
  readonly output: string;
  readonly data?: string;
  readonly weights?: string;
  readonly checkpoint: 'last' | 'best';
  readonly split: SplitName;
  readonly subset?: number;
  readonly tenCrop?: boolean;
  readonly predictions?: string;
}

export function evalCommand(): Command {
  const command = new Command('eval')
    .description('evaluate a run, or weights from a file')
    .argument('[run]', "a run: its folder, <experiment>/<run>, or an experiment's newest run")
    .addHelpText('after', EXAMPLES);
  addConfigOptions(command);
  addFolderOptions(command);
  addEngineOptions(command)
    .option('--weights <file>', 'evaluate this .safetensors or .npz file, with --config')
    .addOption(
      new Option('--checkpoint <which>', 'which weights of the run')
        .choices(['last', 'best'])
        .default('last'),
    )
    .addOption(new Option('--split <split>', 'which images').choices([...SPLITS]).default('test'))
    .option('--subset <n>', "use the first N images only (default: as many as the run's)", positiveInteger)
    .option('--ten-crop', 'judge each image by ten crops (ImageNet)')
    .option('--predictions <file>', 'write what the network says of every image to a CSV file');
  return addCommonOptions(command).action(runEval);
}

interface Subject {
  readonly experiment: Experiment;
  readonly weights: string;
  readonly subset?: number;
  /** The run that the weights are of. */
  readonly run?: { readonly folder: RunFolder; readonly result: RunResult };
}

async function runEval(run: string | undefined, options: EvalOptions): Promise<void> {
  const reporter = terminalReporter(options);
  const subject = await findSubject(run, options);
  const subset = options.subset ?? subject.subset;
  const choice = chooseEngine(options);
  reporter.line(engineLine(choice));
  const predictions: PredictionRow[] = [];
  const evaluation = await evaluateWeights(subject.experiment, subject.weights, {
    choice,
    threads: options.threads,
    folder: options.data,
    setup: options.setup,
    reporter,
    split: options.split,
    tenCrop: options.tenCrop,
    subset,
    onPrediction: options.predictions ? (prediction) => predictions.push(prediction) : undefined,
  });
  if (options.predictions) await writePredictions(options.predictions, predictions);
  if (options.tenCrop) await recordTenCrop(subject, evaluation, options, reporter);
  const crops = options.tenCrop ? CROPS : 1;
  if (options.json) {
    const { experiment, weights } = subject;
    printJson({ experiment: experiment.name, weights, split: options.split, crops, subset, ...evaluation });
    return;
  }
  const lines = evaluationLines(evaluation, options, subject.weights);
  process.stdout.write(`${lines.join('\n')}\n`);
  if (options.predictions) reporter.line(`Predictions: ${options.predictions}`);
}

async function findSubject(run: string | undefined, options: EvalOptions): Promise<Subject> {
  if (run !== undefined && options.config === undefined && options.weights === undefined) {
    if (options.set.length > 0) {
      throw new UserError(
        'usage',
        `--set ${options.set[0]} does not go with a run, whose config is its own`,
        'Leave it out, or give --config and --weights instead of the run.',
      );
    }
    const folder = await findRunFolder(options.output, run);
    const stored = parseExperiment(await readRunJson(folder.config), folder.config);
    const result = (await readRunJson(folder.result)) as RunResult;
    const weights = folder.checkpoint(options.checkpoint);
    return { experiment: stored, weights, subset: result.subset, run: { folder, result } };
  }
  if (run === undefined && options.config !== undefined && options.weights !== undefined) {
    const experiment = await loadExperiment(options.config, { set: options.set });
    return { experiment, weights: options.weights };
  }
  throw new UserError(
    'usage',
    'eval needs either a run, or --config together with --weights',
    'For example: densenet eval quickstart, or densenet eval --config quickstart --weights FILE.safetensors',
  );
}

/** Keeps what ten crops of the test images came to in the run's folder, if it is a result of the run. */
async function recordTenCrop(
  { run }: Subject,
  { error, top5Error, count, loss, engine }: WeightsEvaluation,
  { split, subset, checkpoint, output }: EvalOptions,
  reporter: Reporter,
): Promise<void> {
  if (run?.result.status !== 'finished' || !run.result.last) return;
  if (split !== 'test' || subset !== undefined || checkpoint !== 'last') return;
  const { folder } = run;
  const { epoch } = run.result.last;
  const record: TenCropResult = { error, top5Error, epoch, count, loss, engine, densenet: packageVersion };
  await folder.writeJson(folder.tenCrop, record);
  const tables = await updateTables(output, reporter);
  reporter.line(`Kept in ${folder.tenCrop}; tables: ${tables.join(', ')}`);
}

function evaluationLines(
  evaluation: WeightsEvaluation,
  { split, tenCrop }: EvalOptions,
  weights: string,
): string[] {
  const { classNames, classes, count, error, top5Error, loss, network } = evaluation;
  const rows = classes.map(({ count, wrong }, c) => [
    classNames[c]!,
    `${count}`,
    `${wrong}`,
    count > 0 ? `${((100 * wrong) / count).toFixed(2)} %` : '',
  ]);
  const header = ['class', 'images', 'wrong', 'error'];
  return [
    `${network}, weights ${weights}`,
    '',
    ...formatTable(header, rows, header.slice(1)),
    '',
    `${split} error${tenCrop ? ' of ten crops' : ''} ${error.toFixed(2)} %${top5Note(top5Error)}, loss ${loss.toFixed(4)}, ${formatCount(count)} images`,
  ];
}
