import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
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

/** One training, repeated with several seeds by this program and by a script in PyTorch: a curve for each seed. */
export interface Fidelity {
  /** `DenseNet-BC (L=40, k=12)` */
  readonly network: string;
  /** `C10+ (JPEG)` */
  readonly dataset: string;
  readonly native: readonly FidelityCurve[];
  readonly pytorch: readonly FidelityCurve[];
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
 * where trainings differ in their images or in the number of epochs, and where two runs have one seed.
 */
export async function readFidelity(folder: string, experiment: string): Promise<Fidelity> {
  const runs = (await findRunFolders(folder, experiment)).map((run) => {
    const finished = readFinishedRun(run);
    if (!finished) throw new Error(`${run.path} is not finished`);
    return { finished, data: run.readEnvironment().dataset?.digest, points: run.readEpochs() };
  });
  const peers = join(folder, 'pytorch', experiment);
  const others = readdirSync(peers)
    .filter((file) => SEED.test(file))
    .map((file) => readPyTorch(join(peers, file)));
  const all = [...runs, ...others];
  const { finished, data, points } = runs[0]!;
  const other = all.find((one) => one.data !== data || one.points.length !== points.length);
  if (other) throw new Error(`${experiment}: trainings on other images, or of other lengths`);
  const native = runs.map(({ finished, points }) => ({ seed: finished.experiment.training.seed, points }));
  if (new Set(native.map(({ seed }) => seed)).size < native.length)
    throw new Error(`${experiment}: two runs of one seed`);
  return {
    network: networkOf(finished.experiment).title,
    dataset: datasetLabel(finished),
    native,
    pytorch: others.sort((a, b) => a.seed - b.seed),
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
 * Means over seeds of both by epoch, and the differences after the last epoch, with their 95 % intervals by Welch's
 * test. Other epochs have none: one of twenty intervals would leave out 0 by chance.
 */
export function fidelityMarkdown({ network, dataset, native, pytorch }: Fidelity): string {
  const both = [native, pytorch] as const;
  const over = (curves: readonly FidelityCurve[], index: number, value: keyof FidelityPoint): Spread =>
    spread(curves.map(({ points }) => points[index]![value]))!;
  const atLast = (value: keyof FidelityPoint, digits: number): string => {
    const [ours, theirs] = both.map((curves) => over(curves, native[0]!.points.length - 1, value));
    return differenceText(ours!, theirs!, digits);
  };
  const sheet: Sheet = {
    title: `${network} on ${dataset}`,
    columns: ['epoch', 'training loss: native', 'PyTorch', 'test error, %: native', 'PyTorch'],
    right: ['epoch'],
    rows: native[0]!.points.map(({ epoch }, index) => [
      `${epoch}`,
      ...both.map((curves) => meanText(over(curves, index, 'trainLoss'), 4)),
      ...both.map((curves) => meanText(over(curves, index, 'testError'), 2)),
    ]),
    notes: [
      `Mean ± sample standard deviation over ${native.length} seeds (native) and ${pytorch.length} (PyTorch). Native minus PyTorch after the last epoch: training loss ${atLast('trainLoss', 4)}, test error ${atLast('testError', 2)} points.`,
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
