import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { loadExperiment } from '../config/load.js';
import { ENGINE_TITLES } from '../engines/engine.js';
import { parameterCount } from '../networks/counts.js';
import type { Network } from '../networks/network.js';
import { readFinishedRuns } from '../runs/finished-runs.js';
import { listRunFolders } from '../runs/folders.js';
import type { RunFolder } from '../runs/run-folder.js';
import { datasetLabel, methodName } from '../tables/labels.js';
import { type Measurement, meanText, measurements, type Spread, spread } from '../tables/measurements.js';
import { type Sheet, sheetMarkdown } from '../tables/sheet.js';
import { networkOf } from '../training/model.js';
import { packageRoot } from '../util/package.js';
import { type Reporter, silent } from '../util/reporter.js';

/** What the project publishes; a person's runs never write there. */
export const publishedFolder = join(packageRoot, 'results', 'published');

/** A line of measured.csv, see docs/results.md. */
interface MeasuredLine {
  readonly config: string;
  readonly settings: string;
  readonly subset: string;
  readonly errors: string;
  readonly n: string;
  readonly mean: string;
  readonly sd: string;
  readonly engine: string;
  readonly cores: string;
  readonly minutes: string;
  readonly commit: string;
}

/** What was measured, and on what. */
export interface PublishedMeasurement extends Measurement {
  readonly network: Network;
  /** First N images of each split, where not all were used. */
  readonly subset: number | undefined;
  /** Of the seeds 1, 2, …; empty where only mean and spread were kept. */
  readonly errors: readonly number[];
  /** For people: `native engine, 2 cores, 29 min`. */
  readonly on: string;
}

/**
 * What measured.csv and the runs in `runs/` say: the source of the two CSV tables, of Figure 4 and of the README's
 * table.
 */
export async function publishedMeasurements(): Promise<PublishedMeasurement[]> {
  const text = readFileSync(join(publishedFolder, 'measured.csv'), 'utf8');
  const lines = parse(text, { columns: true }) as MeasuredLine[];
  return [...(await Promise.all(lines.map(measurement))), ...(await measuredRuns())];
}

/** A published run that cannot be read is an error. */
const strict: Reporter = {
  ...silent,
  warn(text) {
    throw new Error(text);
  },
};

async function measuredRuns(): Promise<PublishedMeasurement[]> {
  const runs = await readFinishedRuns(publishedFolder, strict);
  const folders = await listRunFolders(publishedFolder);
  const onOf = new Map(folders.map((run) => [run.name, onText(run)]));
  return [...new Set(onOf.values())].flatMap((on) => {
    const there = runs.filter(({ name }) => onOf.get(name) === on);
    return measurements(there).map((measured) => {
      const own = there.filter(({ name }) => measured.runs.includes(name));
      return {
        ...measured,
        network: networkOf(measured.experiment),
        subset: own[0]!.subset,
        errors: own.map(({ testError }) => testError),
        on,
      };
    });
  });
}

/** What a run was trained on. A GPU's name is kept in the description of its engine alone. */
function onText(run: RunFolder): string {
  const { engine, cpu } = run.readEnvironment();
  const gpu = / on GPU \(([^,)]+)/.exec(engine.description)?.[1];
  return `${ENGINE_TITLES[engine.name]}, ${engine.device === 'gpu' ? gpu : `${cpu.cores} cores`}`;
}

async function measurement(line: MeasuredLine): Promise<PublishedMeasurement> {
  const experiment = await loadExperiment(line.config, { set: line.settings.split('; ').filter(Boolean) });
  const network = networkOf(experiment);
  const subset = line.subset === '' ? undefined : Number(line.subset);
  const errors = line.errors.split(' ').filter(Boolean).map(Number);
  const sd = line.sd === '' ? undefined : Number(line.sd);
  const kept: Spread = { n: Number(line.n), mean: Number(line.mean), sd };
  const time = line.minutes === '' ? [] : [`${line.minutes} min per run`];
  return {
    ...(spread(errors) ?? kept),
    runs: [],
    experiment,
    method: methodName(experiment.network),
    dataset: datasetLabel({ experiment, subset, init: false }),
    parameters: parameterCount(network),
    top5: undefined,
    tenCrop: undefined,
    tenCropTop5: undefined,
    network,
    subset,
    errors,
    on: [`${line.engine} engine`, `${line.cores} cores`, ...time].join(', '),
  };
}

/** The README's table: what was measured on whole datasets. */
export function measuredTable(measured: readonly PublishedMeasurement[]): string {
  const sheet: Sheet = {
    columns: ['network', 'dataset', 'epochs', 'paper', 'measured', 'n', 'on'],
    right: ['epochs', 'paper', 'measured', 'n'],
    rows: measured
      .filter(({ subset }) => subset === undefined)
      .map(({ network, dataset, experiment, n, on, ...spread }) => [
        network.title,
        dataset,
        `${experiment.training.epochs}`,
        experiment.paper?.column !== dataset ? '–' : `${experiment.paper.error.toFixed(2)} %`,
        `${meanText(spread)} %`,
        `${n}`,
        on,
      ]),
  };
  return sheetMarkdown(sheet).join('\n');
}
