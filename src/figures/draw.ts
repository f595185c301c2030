import { readFinishedRuns } from '../runs/finished-runs.js';
import { findRunFolder } from '../runs/folders.js';
import { type Measurement, measurements } from '../tables/measurements.js';
import { paperRecipes } from '../tables/paper-recipe.js';
import { loadWeights } from '../training/checkpoint.js';
import { networkOf } from '../training/model.js';
import { trainedText, warnIfUntrained } from '../training/trained.js';
import { UserError } from '../util/errors.js';
import type { Reporter } from '../util/reporter.js';
import { suggest } from '../util/suggest.js';
import type { Figure } from './figure.js';

/** The figures that are drawn from runs on disk. */
export const FIGURES = ['3', '4-left', '4-middle', '4-right', '5', 'curves'] as const;
export type FigureKind = (typeof FIGURES)[number];

export interface DrawOptions {
  readonly resultsFolder: string;
  /** For 4-left and 4-middle: as the tables call it, for example C10+. */
  readonly dataset?: string | undefined;
  /** For 5: which weights. */
  readonly checkpoint: 'last' | 'best';
  /** For curves: CSV files with the columns epoch and test error. */
  readonly reference?: readonly string[] | undefined;
  readonly reporter: Reporter;
}

/**
 * Draws a figure of these runs; for 4-left and 4-middle they are experiments, by default all. Throws a UserError
 * (usage) if there are too few or too many, or if one does not exist.
 */
export async function drawFigure(
  kind: FigureKind,
  runs: readonly string[],
  options: DrawOptions,
): Promise<Figure> {
  if (kind !== 'curves' && options.reference?.length) {
    throw new UserError(
      'usage',
      `figure ${kind} takes no published curve`,
      'Leave out --reference, or draw it with: densenet figure curves RUN --reference FILE',
    );
  }
  return DRAW[kind](runs, options);
}

type Draw = (runs: readonly string[], options: DrawOptions) => Promise<Figure>;

/** Each is loaded, with the drawing library, when it is drawn. */
const DRAW: Readonly<Record<FigureKind, Draw>> = {
  '3': async (runs, options) => {
    if (runs.length > 0) throw wrongCount('figure 3 takes no runs: it draws all that are finished', '3');
    const { figure3 } = await import('./figure3.js');
    return figure3(await finishedMeasurements(options), await paperRecipes());
  },
  '4-left': async (experiments, options) => {
    const { figure4Left } = await import('./figure4-left.js');
    return figure4Left(selectMeasurements(await finishedMeasurements(options), experiments, options.dataset));
  },
  '4-middle': async (experiments, options) => {
    const { figure4Middle } = await import('./figure4-middle.js');
    return figure4Middle(
      selectMeasurements(await finishedMeasurements(options), experiments, options.dataset),
    );
  },
  '4-right': async (runs, options) => {
    if (runs.length !== 2) throw wrongCount('figure 4-right takes two runs', '4-right RUN RUN');
    const { figure4Right } = await import('./curves.js');
    const [first, second] = await Promise.all(runs.map((run) => readCurve(run, options)));
    return figure4Right(first!, second!);
  },
  '5': async (runs, options) => {
    if (runs.length !== 1) throw wrongCount('figure 5 takes one run', '5 RUN');
    const { figure5 } = await import('./figure5.js');
    const { featureReuse } = await import('./feature-reuse.js');
    const folder = await findRunFolder(options.resultsFolder, runs[0]!);
    const network = networkOf(folder.readExperiment());
    const file = folder.checkpoint(options.checkpoint);
    const { weights, trained } = await loadWeights(file, network);
    warnIfUntrained(options.reporter, file, trained);
    const title = [network.title, folder.name, trainedText(trained)].filter(Boolean).join(', ');
    return figure5('figure-5', title, featureReuse(network, weights));
  },
  curves: async (runs, options) => {
    if (runs.length === 0) throw wrongCount('figure curves needs a run', 'curves RUN…');
    const { curvesFigure } = await import('./curves.js');
    const { readPublishedCurve } = await import('./published-curve.js');
    const published = await Promise.all((options.reference ?? []).map(readPublishedCurve));
    return curvesFigure(await Promise.all(runs.map((run) => readCurve(run, options))), published);
  },
};

function wrongCount(message: string, usage: string): UserError {
  return new UserError('usage', message, `densenet figure ${usage}. The runs there are: densenet runs list`);
}

async function finishedMeasurements(options: DrawOptions): Promise<Measurement[]> {
  return measurements(await readFinishedRuns(options.resultsFolder, options.reporter));
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

async function readCurve(reference: string, options: DrawOptions) {
  const folder = await findRunFolder(options.resultsFolder, reference);
  const epochs = folder.readEpochs();
  if (epochs.length === 0) {
    throw new UserError(
      'usage',
      `the run ${folder.name} has no finished epoch to draw`,
      'Choose another run, or continue this one: densenet train --resume RUN',
    );
  }
  const experiment = folder.readExperiment();
  return { name: folder.name, experiment, epochs };
}
