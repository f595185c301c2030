import { existsSync } from 'node:fs';
import { curvesFigure, type RunCurve } from '../figures/curves.js';
import { featureReuse } from '../figures/feature-reuse.js';
import type { Figure } from '../figures/figure.js';
import { figure5 } from '../figures/figure5.js';
import { readEpochs } from '../results/epochs.js';
import { type FinishedRun, readFinishedRun } from '../results/finished-runs.js';
import { measurements } from '../results/measurements.js';
import { paperRecipes } from '../results/paper-recipe.js';
import type { RunRecord } from '../results/run-records.js';
import { comparison, runSheet } from '../results/run-tables.js';
import { table2, table2Sheets } from '../results/table2.js';
import { table3, table3Sheets } from '../results/table3.js';
import { loadWeights } from '../training/checkpoint.js';
import { networkOf } from '../training/open.js';
import type { Report } from './page.js';

/** Gathers what a report of these runs shows. What a run does not have yet is left out. */
export async function gatherReport(
  records: readonly RunRecord[],
  { heatMaps }: { readonly heatMaps: boolean },
): Promise<Report> {
  const curves: RunCurve[] = [];
  const finished: FinishedRun[] = [];
  for (const { folder, status, experiment } of records) {
    if (!experiment) continue;
    const epochs = await readEpochs(folder);
    if (epochs.length > 0) curves.push({ name: folder.name, experiment, epochs });
    const run = status === 'finished' ? await readFinishedRun(folder) : undefined;
    if (run) finished.push(run);
  }
  const differences = comparison(records);
  return {
    runs: await Promise.all(
      records.map(async (record) => ({ record, heatMap: heatMaps ? await heatMap(record) : undefined })),
    ),
    curves: curves.length > 0 ? curvesFigure(curves) : undefined,
    tables: await measuredTables(finished),
    comparison: records.length > 1 ? runSheet(differences.columns, differences.rows) : undefined,
  };
}

async function heatMap({ folder, experiment }: RunRecord): Promise<Figure | undefined> {
  const checkpoint = folder.checkpoint('last');
  if (!experiment || !existsSync(checkpoint)) return undefined;
  const network = networkOf(experiment);
  if (network.stages.every(({ kind }) => kind !== 'denseBlock')) return undefined;
  const blocks = featureReuse(network, await loadWeights(checkpoint, network));
  return figure5('figure-5', `${network.title}, ${folder.name}`, blocks);
}

async function measuredTables(finished: readonly FinishedRun[]) {
  const options = { measuredOnly: true };
  const measured = measurements(finished);
  const recipes = await paperRecipes();
  const sheets = [
    ...table2Sheets(table2(measured, recipes, options), options),
    ...table3Sheets(table3(measured, recipes, options), options),
  ];
  return sheets.filter(({ rows }) => rows.length > 0);
}
