import { confusionFigure, reliabilityFigure } from '../figures/evaluation.js';
import type { Figure } from '../figures/figure.js';
import { figureSvg } from '../figures/svg.js';
import type { RunEvaluation } from '../runs/evaluation.js';
import type { RunRecord } from '../runs/run-records.js';
import { RUN_COLUMNS, runRow, runSheet } from '../tables/run-tables.js';
import type { Sheet } from '../tables/sheet.js';
import { UserError } from '../util/errors.js';
import { packageVersion } from '../util/package.js';
import { Html, html, htmlTable } from './html.js';
import { STYLE } from './style.js';

/** A run of a report. */
export interface ReportedRun {
  readonly record: RunRecord;
  /** Feature reuse of its last weights; undefined if it has none. */
  readonly heatMap?: Figure | undefined;
  /** Undefined if it was not evaluated. */
  readonly evaluation?: RunEvaluation | undefined;
}

export interface Report {
  readonly runs: readonly ReportedRun[];
  /** Learning curves of the runs that have some. */
  readonly curves?: Figure | undefined;
  /** Tables of the paper with what these runs measured. */
  readonly tables: readonly Sheet[];
  /** Where the runs' configs differ; undefined for one run. */
  readonly comparison?: Sheet | undefined;
}

/** Largest report, in bytes: it should open at once, and go by mail. */
export const MAX_BYTES = 3_000_000;

/**
 * One HTML page with everything in it: no script, no other file, no network. Throws a UserError (usage) if it would be
 * larger than 3 MB.
 */
export function reportPage(report: Report): string {
  const records = report.runs.map(({ record }) => record);
  const title = records.length === 1 ? `Run ${records[0]!.folder.name}` : `${records.length} runs`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${title} – densenet</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p class="note">Made by densenet ${packageVersion}. Errors are percentages. What was not measured is empty. The paper is
Huang, Liu, van der Maaten and Weinberger, <cite>Densely Connected Convolutional Networks</cite>, 2017.</p>
<section><h2>Results</h2>${htmlTable(runSheet(RESULT_COLUMNS, records.map(runRow)))}
<p class="note">“test error” is the one that the config reports; “best” was chosen by looking at the test set, and is not
comparable with the paper's.</p></section>
${report.curves ? html`<section><h2>Learning curves</h2>${htmlFigure(report.curves)}</section>` : html``}
${report.tables.map((table) => html`<section><h2>${table.title ?? ''}</h2>${htmlTable(table)}</section>`)}
${report.comparison ? html`<section><h2>Where the configs differ</h2>${htmlTable(report.comparison)}</section>` : html``}
${report.runs.map(runSection)}
</main>
</body>
</html>
`.text;
  const bytes = Buffer.byteLength(page);
  if (bytes <= MAX_BYTES) return page;
  throw new UserError(
    'usage',
    `the report of ${records.length} runs would be ${(bytes / 1e6).toFixed(1)} MB, and ${MAX_BYTES / 1e6} MB is the limit`,
    'Give fewer runs, or leave out the heat maps with --no-heat-maps.',
  );
}

/** The environment below each run says when it started. */
const RESULT_COLUMNS = RUN_COLUMNS.filter((column) => column !== 'started');

function htmlFigure(figure: Figure): Html {
  return html`<figure><div class="wide">${new Html(figureSvg(figure, 'inline'))}</div><figcaption>${figure.caption}</figcaption></figure>`;
}

function runSection({ record, heatMap, evaluation }: ReportedRun): Html {
  const { folder, experiment, environment } = record;
  return html`<section><h2>${folder.name}</h2>
${experiment?.description ? html`<p>${experiment.description}</p>` : html``}
${evaluation ? evaluationParts(evaluation) : html``}
${heatMap ? html`<h3>Feature reuse</h3>${htmlFigure(heatMap)}` : html``}
<details><summary>Config</summary><pre>${JSON.stringify(experiment, null, 2) ?? ''}</pre></details>
<details><summary>Environment</summary><pre>${JSON.stringify(environment, null, 2) ?? ''}</pre></details>
</section>`;
}

function evaluationParts(evaluation: RunEvaluation): Html {
  const { mistakes, classNames } = evaluation;
  return html`<h3>Confusion matrix</h3>${htmlFigure(confusionFigure(evaluation))}
<h3>Reliability diagram</h3>${htmlFigure(reliabilityFigure(evaluation))}
${
  mistakes.length === 0
    ? html``
    : html`<h3>The most confident mistakes</h3><div class="mistakes">${mistakes.map((one) => mistakePart(one, classNames))}</div>`
}`;
}

function mistakePart(
  { name, label, predicted, confidence, picture }: RunEvaluation['mistakes'][number],
  classNames: readonly string[],
): Html {
  // Small images are PNG files, which show their pixels.
  const kind = picture.startsWith('data:image/png') ? 'pixels' : '';
  const short = name.split('/').slice(-2).join('/');
  return html`<figure><img class="${kind}" src="${picture}" alt="${name}"><figcaption>${classNames[label] ?? ''}, taken for ${classNames[predicted] ?? ''} (${(100 * confidence).toFixed(1)} %)<br>${short}</figcaption></figure>`;
}
