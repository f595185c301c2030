import { join } from 'node:path';
import { Argument, Command, Option } from 'commander';
import { parseExperiment } from '../config/load.js';
import type { Figure } from '../figures/figure.js';
import { readEpochs } from '../runs/epochs.js';
import { readFinishedRuns } from '../runs/finished-runs.js';
import { findRunFolder, readRunJson } from '../runs/run-folder.js';
import { type Measurement, measurements } from '../tables/measurements.js';
import { paperRecipes } from '../tables/paper-recipe.js';
import { loadWeights } from '../training/checkpoint.js';
import { networkOf } from '../training/model.js';
import { UserError } from '../util/errors.js';
import { suggest } from '../util/suggest.js';
import { addCommonOptions, type CommonOptions, formerOption, printJson, resultsOption } from './options.js';
import { terminalReporter } from './terminal.js';

const EXAMPLES = `
Examples:
  densenet figure curves quickstart                learning curves of the newest run of an experiment
  densenet figure 3                                ImageNet error against parameters and multiply-adds
  densenet figure 4-left                           error against parameters: DenseNet, -B, -C, -BC
  densenet figure 4-left small-b small-bc          of these experiments only, all their seeds
  densenet figure 4-middle                         error against parameters: DenseNet-BC and pre-activation ResNets
  densenet figure 4-right RUN RUN                  training loss and test error of two runs
  densenet figure 5 cifar10plus-40-12              who reads whose feature maps, in a trained network

Each figure becomes an SVG, a PNG and a CSV with its points. docs/figures.md says what is drawn.`;

const KINDS = ['3', '4-left', '4-middle', '4-right', '5', 'curves'] as const;

interface FigureOptions extends CommonOptions {
  readonly results: string;
  readonly output?: string;
  readonly dataset?: string;
  readonly checkpoint: 'last' | 'best';
}

export function figureCommand(): Command {
  const command = new Command('figure')
    .description('draw a figure of the paper, or learning curves, from runs on disk')
    .addArgument(new Argument('<figure>', 'which').choices(KINDS))
    .argument('[runs...]', 'runs to draw; for 4-left and 4-middle, experiments (default: all)')
    .addOption(resultsOption())
    .option('--output <dir>', 'folder of the figure (default: figures in the folder of results)')
    .addOption(formerOption('--to <dir>', '--output'))
    .option('--dataset <dataset>', 'for 4-left and 4-middle: as the tables call it, for example C10+')
    .addOption(
      new Option('--checkpoint <which>', 'for 5: which weights').choices(['last', 'best']).default('last'),
    )
    .addHelpText('after', EXAMPLES);
  return addCommonOptions(command).action(runFigure);
}

async function runFigure(
  kind: (typeof KINDS)[number],
  runs: string[],
  options: FigureOptions,
): Promise<void> {
  const figure = await DRAW[kind](runs, options);
  const { writeFigure } = await import('../figures/write.js');
  const files = await writeFigure(figure, options.output ?? join(options.results, 'figures'));
  if (options.json) printJson({ figure: figure.name, caption: figure.caption, files });
  else process.stdout.write(`${files.join('\n')}\n`);
}

type Draw = (runs: readonly string[], options: FigureOptions) => Promise<Figure>;

/** The drawing library is loaded only here. */
const DRAW: Readonly<Record<(typeof KINDS)[number], Draw>> = {
  '3': async (runs, options) => {
    if (runs.length > 0) throw wrongCount('figure 3 takes no runs: it draws all that are finished', '3');
    const { figure3 } = await import('../figures/figure3.js');
    return figure3(await finishedMeasurements(options), await paperRecipes());
  },
  '4-left': async (experiments, options) => {
    const { figure4Left } = await import('../figures/figure4-left.js');
    return figure4Left(selectMeasurements(await finishedMeasurements(options), experiments, options.dataset));
  },
  '4-middle': async (experiments, options) => {
    const { figure4Middle } = await import('../figures/figure4-middle.js');
    return figure4Middle(
      selectMeasurements(await finishedMeasurements(options), experiments, options.dataset),
    );
  },
  '4-right': async (runs, options) => {
    if (runs.length !== 2) throw wrongCount('figure 4-right takes two runs', '4-right RUN RUN');
    const { figure4Right } = await import('../figures/curves.js');
    const [first, second] = await Promise.all(runs.map((run) => readCurve(run, options)));
    return figure4Right(first!, second!);
  },
  '5': async (runs, options) => {
    if (runs.length !== 1) throw wrongCount('figure 5 takes one run', '5 RUN');
    const { figure5 } = await import('../figures/figure5.js');
    const { featureReuse } = await import('../figures/feature-reuse.js');
    const folder = await findRunFolder(options.results, runs[0]!);
    const network = networkOf(parseExperiment(await readRunJson(folder.config), folder.config));
    const weights = await loadWeights(folder.checkpoint(options.checkpoint), network);
    const title = `${network.title}, ${folder.name}`;
    return figure5('figure-5', title, featureReuse(network, weights));
  },
  curves: async (runs, options) => {
    if (runs.length === 0) throw wrongCount('figure curves needs a run', 'curves RUN…');
    const { curvesFigure } = await import('../figures/curves.js');
    return curvesFigure(await Promise.all(runs.map((run) => readCurve(run, options))));
  },
};

function wrongCount(message: string, usage: string): UserError {
  return new UserError('usage', message, `densenet figure ${usage}. The runs there are: densenet runs list`);
}

async function finishedMeasurements(options: FigureOptions): Promise<Measurement[]> {
  return measurements(await readFinishedRuns(options.results, terminalReporter(options)));
}

function selectMeasurements(
  all: readonly Measurement[],
  experiments: readonly string[],
  dataset: string | undefined,
): Measurement[] {
  const names = [...new Set(all.map(({ experiment }) => experiment.name))];
  const unknown = experiments.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const message = `there is no experiment '${unknown}' with a finished run`;
    throw new UserError('usage', message, suggest(unknown, names));
  }
  const datasets = [...new Set(all.map((measurement) => measurement.dataset))];
  if (dataset !== undefined && !datasets.includes(dataset)) {
    const message = `there is no finished run on the dataset '${dataset}'`;
    throw new UserError('usage', message, suggest(dataset, datasets));
  }
  return all.filter(
    (measurement) =>
      (experiments.length === 0 || experiments.includes(measurement.experiment.name)) &&
      (dataset === undefined || measurement.dataset === dataset),
  );
}

async function readCurve(reference: string, options: FigureOptions) {
  const folder = await findRunFolder(options.results, reference);
  const epochs = await readEpochs(folder);
  if (epochs.length === 0) {
    throw new UserError(
      'usage',
      `the run ${folder.name} has no finished epoch to draw`,
      'Take another run, or train this one on: densenet train --resume RUN',
    );
  }
  const experiment = parseExperiment(await readRunJson(folder.config), folder.config);
  return { name: folder.name, experiment, epochs };
}
