import { existsSync } from 'node:fs';
import { curvesFigure, type RunCurve } from '../figures/curves.js';
import { featureReuse } from '../figures/feature-reuse.js';
import type { Figure } from '../figures/figure.js';
import { figure5 } from '../figures/figure5.js';
import type { RunEvaluation } from '../runs/evaluation.js';
import { type FinishedRun, readFinishedRun } from '../runs/finished-runs.js';
import type { RunRecord } from '../runs/run-records.js';
import { measurements } from '../tables/measurements.js';
import { paperRecipes } from '../tables/paper-recipe.js';
import { comparison, runSheet } from '../tables/run-tables.js';
import { table2, table2Sheets } from '../tables/table2.js';
import { table3, table3Sheets } from '../tables/table3.js';
import { loadWeights } from '../training/checkpoint.js';
import { networkOf } from '../training/model.js';
import { trainedText, warnIfUntrained } from '../training/trained.js';
import { UserError } from '../util/errors.js';
import type { Reporter } from '../util/reporter.js';
import type { Report, ReportedRun } from './page.js';

/**
 * Gathers what a report of these runs shows. What a run does not have yet is left out, and so is, with a warning,
 * what cannot be read.
 */
export async function gatherReport(
  records: readonly RunRecord[],
  { heatMaps, reporter }: { readonly heatMaps: boolean; readonly reporter: Reporter },
): Promise<Report> {
  const runs: ReportedRun[] = [];
  const curves: RunCurve[] = [];
  const finished: FinishedRun[] = [];
  for (const record of records) {
    const { folder, status, experiment, epochs, problem } = record;
    if (status === 'damaged') reporter.warn(`${folder.name}: ${problem}`);
    const readable = async <T>(read: () => T | Promise<T>): Promise<T | undefined> => {
      try {
        return await read();
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        reporter.warn(`${folder.name}: ${error.message}`);
        return undefined;
      }
    };
    runs.push({
      record,
      heatMap: heatMaps ? await readable(() => heatMap(record, reporter)) : undefined,
      evaluation: await readable(() => evaluationOf(record)),
    });
    if (!experiment) continue;
    if (epochs.length > 0) curves.push({ name: folder.name, experiment, epochs });
    const run = status === 'finished' ? await readable(() => readFinishedRun(folder)) : undefined;
    if (run) finished.push(run);
  }
  const differences = comparison(records);
  return {
    runs,
    curves: curves.length > 0 ? curvesFigure(curves) : undefined,
    tables: await measuredTables(finished),
    comparison: records.length > 1 ? runSheet(differences.columns, differences.rows) : undefined,
  };
}

/** Of the last epoch: after another, it is no longer the run's. */
function evaluationOf({ folder, result }: RunRecord): RunEvaluation | undefined {
  const evaluation = folder.readEvaluation();
  return evaluation?.epoch === result?.last?.epoch ? evaluation : undefined;
}

async function heatMap({ folder, experiment }: RunRecord, reporter: Reporter): Promise<Figure | undefined> {
  const checkpoint = folder.checkpoint('last');
  if (!experiment || !existsSync(checkpoint)) return undefined;
  const network = networkOf(experiment);
  if (network.stages.every(({ kind }) => kind !== 'denseBlock')) return undefined;
  const { weights, trained } = await loadWeights(checkpoint, network);
  warnIfUntrained(reporter, checkpoint, trained);
  const title = [network.title, folder.name, trainedText(trained)].filter(Boolean).join(', ');
  return figure5('figure-5', title, featureReuse(network, weights));
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
