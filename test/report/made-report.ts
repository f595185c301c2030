import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { initialValues } from '../../src/networks/parameters.js';
import { weightsFile } from '../../src/networks/weights.js';
import { gatherReport } from '../../src/report/report.js';
import { readRunRecord } from '../../src/runs/run-records.js';
import { networkOf } from '../../src/training/model.js';
import { silent } from '../../src/util/reporter.js';
import { type MadeRun, makeRun } from '../runs/make-run.js';

/** The folder of the test that runs now. */
export let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'densenet-report-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Makes a run with initial weights, and reads it. */
export async function record(config: string, run: MadeRun = {}) {
  const made = await makeRun(folder, config, run);
  const result = await readRunRecord(made);
  const network = networkOf(result.experiment!);
  await writeFile(made.checkpoint('last'), weightsFile(network, initialValues(network, 1)));
  return result;
}

/** Two finished runs and a failed one. */
export async function someReport() {
  const records = [
    await record('quickstart', { errors: [60, 30, 20] }),
    await record('cifar10plus-40-12', { errors: [60, 5.5] }),
    await record('smoke-svhn', { errors: [], status: 'failed', message: 'the disk is full' }),
  ];
  return gatherReport(records, { heatMaps: true, reporter: silent });
}
