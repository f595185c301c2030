import { Command, Option } from 'commander';
import { loadExperiment, parseExperiment } from '../config/load.js';
import type { Experiment } from '../config/schema.js';
import { chooseEngine } from '../engines/select.js';
import { type PredictionRow, writePredictions } from '../results/predictions.js';
import { findRunFolder, type RunResult, readRunJson } from '../results/run-folder.js';
import { evaluateWeights, SPLITS, type SplitName, type WeightsEvaluation } from '../training/evaluation.js';
import { top5Note } from '../training/narrate.js';
import { UserError } from '../util/errors.js';
import { formatCount } from '../util/format.js';
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
  densenet eval quickstart --predictions predictions.csv    index, label, predicted class and all logits`;

interface EvalOptions extends CommonOptions, EngineCliOptions {
  readonly config?: string;
  readonly set: string[];
  readonly output: string;
  readonly data?: string;
  readonly weights?: string;
  readonly checkpoint: 'last' | 'best';
  readonly split: SplitName;
  readonly subset?: number;
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
    .option('--predictions <file>', 'write what the network says of every image to a CSV file');
  return addCommonOptions(command).action(runEval);
}

interface Subject {
  readonly experiment: Experiment;
  readonly weights: string;
  readonly subset?: number;
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
    subset,
    onPrediction: options.predictions ? (prediction) => predictions.push(prediction) : undefined,
  });
  if (options.predictions) await writePredictions(options.predictions, predictions);
  if (options.json) {
    const { experiment, weights } = subject;
    printJson({ experiment: experiment.name, weights, split: options.split, subset, ...evaluation });
    return;
  }
  const lines = evaluationLines(evaluation, options.split, subject.weights);
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
    const { subset } = (await readRunJson(folder.result)) as RunResult;
    return { experiment: stored, weights: folder.checkpoint(options.checkpoint), subset };
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

function evaluationLines(evaluation: WeightsEvaluation, split: SplitName, weights: string): string[] {
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
    `${split} error ${error.toFixed(2)} %${top5Note(top5Error)}, loss ${loss.toFixed(4)}, ${formatCount(count)} images`,
  ];
}
