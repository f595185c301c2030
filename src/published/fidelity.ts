import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { ENGINE_TITLES } from '../engines/engine.js';
import type { Environment } from '../runs/environment.js';
import { readFinishedRun } from '../runs/finished-runs.js';
import { findRunFolders } from '../runs/folders.js';
import { datasetLabel } from '../tables/labels.js';
import { meanText, type Spread, spread } from '../tables/measurements.js';
import { type Sheet, sheetMarkdown, signed } from '../tables/sheet.js';
import { betweenMeans, intervalText } from '../tables/significance.js';
import { networkOf } from '../training/model.js';

/** An epoch of one training: mean cross-entropy while it trained, and the error in percent on the test images. */
export interface FidelityPoint {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly testError: number;
}

/** What one seed came to, epoch by epoch. */
export interface FidelityCurve {
  readonly seed: number;
  readonly points: readonly FidelityPoint[];
}

/** What one program came to: a curve for each seed. */
export interface FidelityProgram {
  /** `native engine`, `TensorFlow engine (GPU)`, `PyTorch` */
  readonly name: string;
  readonly curves: readonly FidelityCurve[];
}

/** One training, repeated with several seeds by the engines of this program and by a script in PyTorch. */
export interface Fidelity {
  /** `DenseNet-BC (L=40, k=12)` */
  readonly network: string;
  /** `C10+ (JPEG)` */
  readonly dataset: string;
  readonly engines: readonly FidelityProgram[];
  readonly pytorch: FidelityProgram;
}

/** All programs, the one that the others are held against last. */
export function programs({ engines, pytorch }: Fidelity): FidelityProgram[] {
  return [...engines, pytorch];
}

/** `TensorFlow engine (GPU)` */
function programOf({ name, device }: Environment['engine']): string {
  return `${ENGINE_TITLES[name]}${device === 'gpu' ? ' (GPU)' : ''}`;
}

const SEED = /seed-(\d+)\.csv$/;

/** Of the columns that pytorch.py writes, those that are compared. */
const pytorchRows = z
  .array(z.object({ epoch: z.coerce.number(), train_loss: z.coerce.number(), test_error: z.coerce.number() }))
  .nonempty();

/** Of what pytorch.py says of a training: the digest of its images. */
const pytorchTraining = z.object({ data: z.string() });

/**
 * Reads what a folder of published results has of an experiment: its runs in `runs/<experiment>/`, and PyTorch's epochs
 * in `pytorch/<experiment>/seed-<n>.csv`, with what was trained in `seed-<n>.json`. Throws where a run is not finished,
 * where trainings differ in their images or in the number of epochs, and where two runs of an engine have one seed.
 */
export async function readFidelity(folder: string, experiment: string): Promise<Fidelity> {
  const runs = (await findRunFolders(folder, experiment)).map((run) => {
    const finished = readFinishedRun(run);
    if (!finished) throw new Error(`${run.path} is not finished`);
    const { engine, dataset } = run.readEnvironment();
    const { seed } = finished.experiment.training;
    return { finished, engine: programOf(engine), seed, data: dataset?.digest, points: run.readEpochs() };
  });
  const peers = join(folder, 'pytorch', experiment);
  const others = readdirSync(peers)
    .filter((file) => SEED.test(file))
    .map((file) => readPyTorch(join(peers, file)));
  const all = [...runs, ...others];
  const { finished, data, points } = runs[0]!;
  const other = all.find((one) => one.data !== data || one.points.length !== points.length);
  if (other) throw new Error(`${experiment}: trainings on other images, or of other lengths`);
  const engines = [...new Set(runs.map(({ engine }) => engine))].map((name) => ({
    name,
    curves: runs.filter(({ engine }) => engine === name),
  }));
  for (const { name, curves } of engines) {
    if (new Set(curves.map(({ seed }) => seed)).size < curves.length)
      throw new Error(`${experiment}: two runs of one seed (${name})`);
  }
  return {
    network: networkOf(finished.experiment).title,
    dataset: datasetLabel(finished),
    engines,
    pytorch: { name: 'PyTorch', curves: others.sort((a, b) => a.seed - b.seed) },
  };
}

function readPyTorch(path: string) {
  const rows = pytorchRows.parse(parse(readFileSync(path), { columns: true }));
  const { data } = pytorchTraining.parse(JSON.parse(readFileSync(path.replace(/csv$/, 'json'), 'utf8')));
  return {
    seed: Number(SEED.exec(path)![1]),
    data,
    points: rows.map(({ epoch, train_loss, test_error }) => ({
      epoch,
      trainLoss: train_loss,
      testError: test_error,
    })),
  };
}

/**
 * Means over seeds by epoch, and the differences from PyTorch after the last epoch, with their 95 % intervals by
 * Welch's test. Other epochs have none: one of twenty intervals would leave out 0 by chance.
 */
export function fidelityMarkdown(fidelity: Fidelity): string {
  const { network, dataset, engines, pytorch } = fidelity;
  const all = programs(fidelity);
  const epochs = pytorch.curves[0]!.points.map(({ epoch }) => epoch);
  const over = ({ curves }: FidelityProgram, index: number, value: keyof FidelityPoint): Spread =>
    spread(curves.map(({ points }) => points[index]![value]))!;
  const difference = (engine: FidelityProgram, value: keyof FidelityPoint, digits: number): string => {
    const [ours, theirs] = [engine, pytorch].map((one) => over(one, epochs.length - 1, value));
    return differenceText(ours!, theirs!, digits);
  };
  const names = all.map(({ name }) => name);
  const seeds = all.map(({ name, curves }) => `${name} ${curves.length}`).join(', ');
  const sheet: Sheet = {
    title: `${network} on ${dataset}`,
    columns: [
      'epoch',
      ...names.map((name, index) => (index === 0 ? `training loss: ${name}` : name)),
      ...names.map((name, index) => (index === 0 ? `test error, %: ${name}` : name)),
    ],
    right: ['epoch'],
    rows: epochs.map((epoch, index) => [
      `${epoch}`,
      ...all.map((one) => meanText(over(one, index, 'trainLoss'), 4)),
      ...all.map((one) => meanText(over(one, index, 'testError'), 2)),
    ]),
    notes: [
      `Mean ± sample standard deviation over seeds: ${seeds}.`,
      ...engines.map(
        (engine) =>
          `After the last epoch, ${engine.name} minus PyTorch: training loss ${difference(engine, 'trainLoss', 4)}, test error ${difference(engine, 'testError', 2)} points.`,
      ),
    ],
  };
  return sheetMarkdown(sheet).join('\n');
}

/** `−0.12 [−1.05, +0.81]`; without an interval for one seed. */
function differenceText(ours: Spread, theirs: Spread, digits: number): string {
  const compared = betweenMeans(ours, theirs);
  if (!compared) return signed(ours.mean - theirs.mean, digits);
  return intervalText(compared, digits);
}
