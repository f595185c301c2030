import { join } from 'node:path';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { drawFigure, FIGURES, type FigureKind } from '../figures/draw.js';
import {
  addTerminalOptions,
  formerOption,
  outputPathOption,
  repeated,
  resultsOption,
  type TerminalOptions,
} from './options.js';
import { print, printJson } from './print.js';
import { terminalReporter } from './terminal.js';

const EXAMPLES = `
Examples:
  densenet figure curves quickstart                learning curves of the newest run of an experiment
  densenet figure 3                                ImageNet error against parameters and multiply-adds
  densenet figure 4-left                           error against parameters: DenseNet, -B, -C, -BC
  densenet figure 4-left small-b small-bc          of these experiments only, all their seeds
  densenet figure 4-middle                         error against parameters: DenseNet-BC and pre-activation ResNets
  densenet figure 4-right RUN RUN                  training loss and test error of two runs
  densenet figure 5 cifar10plus-40-12              feature reuse in a trained network

  densenet figure curves quickstart --reference published.csv --output curves.png --scale 4

Each figure becomes an SVG, a PNG and a CSV with its points. docs/figures.md says what is drawn.`;

interface FigureOptions extends TerminalOptions {
  readonly results: string;
  readonly output?: string;
  readonly dataset?: string;
  readonly checkpoint: 'last' | 'best';
  readonly scale?: number;
  readonly reference: string[];
}

const MOST_SCALE = 10;

function scale(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= MOST_SCALE) return value;
  throw new InvalidArgumentError(`Choose a number above 0 and up to ${MOST_SCALE}.`);
}

export function figureCommand(): Command {
  const command = new Command('figure')
    .description('draw a figure of the paper, or learning curves, from runs on disk')
    .addArgument(new Argument('<figure>', 'which').choices(FIGURES))
    .argument('[runs...]', 'runs to draw; for 4-left and 4-middle, experiments (default: all)')
    .addOption(resultsOption())
    .addOption(
      outputPathOption(
        'folder of the files, or one file: .svg, .png or .csv (default: figures in the folder of results)',
      ),
    )
    .option('--scale <n>', `PNG pixels per SVG pixel, up to ${MOST_SCALE} (default: 2)`, scale)
    .addOption(
      repeated('--reference <file>', 'for curves: draw a published curve too, CSV of epoch and test_error'),
    )
    .addOption(formerOption('--to <dir>', '--output'))
    .option('--dataset <dataset>', 'for 4-left and 4-middle: as the tables call it, for example C10+')
    .addOption(
      new Option('--checkpoint <which>', 'for 5: which weights').choices(['last', 'best']).default('last'),
    )
    .addHelpText('after', EXAMPLES);
  return addTerminalOptions(command).action(runFigure);
}

async function runFigure(kind: FigureKind, runs: string[], options: FigureOptions): Promise<void> {
  const { results: resultsFolder, dataset, checkpoint } = options;
  const reporter = terminalReporter(options);
  const { reference } = options;
  const figure = await drawFigure(kind, runs, { resultsFolder, dataset, checkpoint, reference, reporter });
  const { writeFigure } = await import('../figures/write.js');
  const files = await writeFigure(figure, options.output ?? join(options.results, 'figures'), options.scale);
  if (options.json) printJson({ figure: figure.name, caption: figure.caption, files });
  else print(files);
}
