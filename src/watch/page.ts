import { createHash } from 'node:crypto';
import { curvesFigure } from '../figures/curves.js';
import { figureSvg } from '../figures/svg.js';
import { Html, html, htmlTable } from '../report/html.js';
import { STYLE } from '../report/style.js';
import { formatDuration } from '../util/format.js';
import { shownHost } from '../util/owner.js';
import { CLIENT } from './client.js';
import { type Live, liveState } from './live.js';
import type { View, WatchedRun } from './state.js';
import { WATCH_STYLE } from './style.js';
import { lastLines } from './tail.js';

/** A piece of the page with a heading of its own, in parts that change at different times. */
export interface Card {
  readonly key: string;
  readonly parts: readonly { readonly key: string; readonly html: string }[];
}

/** Of a chart, in pixels: its text can be read on a telephone. */
const CHART = { width: 330, height: 240 };
/** Lines of log.txt, and the bytes that they are looked for in. */
const LOG_LINES = 8;
const LOG_BYTES = 8192;

/** Only the script of this page runs, and nothing is loaded from elsewhere. */
export const POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  `script-src 'sha256-${createHash('sha256').update(CLIENT).digest('base64')}'`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The page as it is now; its script then follows the changes. */
export function watchPage(title: string, cards: readonly Card[]): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${title} – densenet watch</title>
<style>${new Html(STYLE)}${new Html(WATCH_STYLE)}</style>
</head>
<body>
<header><h1>${title}</h1><p id="connection" role="status">Connecting …</p></header>
<main>${cards.map(({ key, parts }) => html`<section data-key="${key}">${parts.map((part) => html`<div data-key="${part.key}">${new Html(part.html)}</div>`)}</section>`)}</main>
<script>${new Html(CLIENT)}</script>
</body>
</html>
`.text;
}

/** Makes cards of what is seen. Curves, which take longest, are drawn again only when an epoch is added. */
export class CardMaker {
  private readonly curves = new Map<string, { epochs: string; html: Html }>();

  cards({ runs, more, table, problem }: View): Card[] {
    const none = runs.length === 0 && !problem;
    const note = problem ?? (none ? 'There is no run yet. It will appear here once it has begun.' : '');
    const others = more > 0 ? `${more} more runs are in the table only.` : '';
    return [
      ...(note ? [card('note', html`<p>${note}</p>`)] : []),
      ...runs.map((run) => this.runCard(run)),
      ...(others ? [card('more', html`<p class="note">${others}</p>`)] : []),
      ...(table && table.rows.length > 0
        ? [card('table', html`<h2>${table.title ?? ''}</h2>${htmlTable(table)}`)]
        : []),
    ];
  }

  private runCard({ record, gone }: WatchedRun): Card {
    const { folder, status, problem, experiment, environment } = record;
    const live = status === 'running' && !gone ? liveState(record) : undefined;
    const state = gone ? 'gone' : status;
    const why = gone ? 'The folder of this run is not there any more.' : problem;
    const log = lastLines(folder.textLog, LOG_BYTES).slice(-LOG_LINES);
    return {
      key: folder.path,
      parts: [
        {
          key: 'head',
          html: html`<h2>${folder.name} <span class="state ${state}">${state}</span></h2>
<p class="note">${[experiment?.description, environment?.engine.description, environment && shownHost(environment.host)].filter(Boolean).join(' · ')}</p>
${why ? html`<p class="problem">${why}</p>` : html``}`.text,
        },
        { key: 'progress', html: progress(record, live).text },
        { key: 'curves', html: this.curvesOf(record).text },
        {
          key: 'log',
          html: (log.length > 0
            ? html`<h3>Log</h3><pre class="log" tabindex="0" aria-label="Last lines of log.txt">${log.map(shortTime).join('\n')}</pre>`
            : html``
          ).text,
        },
      ],
    };
  }

  private curvesOf({ folder, experiment, epochs }: WatchedRun['record']): Html {
    if (!experiment || epochs.length === 0) return html``;
    const drawn = this.curves.get(folder.path);
    const signature = JSON.stringify([epochs.length, epochs.at(-1)]);
    if (drawn?.epochs === signature) return drawn.html;
    const figure = curvesFigure([{ name: folder.name, experiment, epochs }]);
    const charts = figure.panels.map((panel) => {
      const one = {
        ...figure,
        caption: `${panel.title ?? ''} by epoch`,
        panels: [{ ...panel, ...CHART }],
        legend: [],
      };
      return html`<figure>${new Html(figureSvg(one, 'inline'))}</figure>`;
    });
    const made = html`<div class="charts">${charts}</div><p class="note">${figure.caption}</p>`;
    this.curves.set(folder.path, { epochs: signature, html: made });
    return made;
  }
}

function card(key: string, content: Html): Card {
  return { key, parts: [{ key, html: content.text }] };
}

const PARTS = { train: 'training', validation: 'validation images', test: 'test images' } as const;

function progress({ experiment, epochs, result }: WatchedRun['record'], live: Live | undefined): Html {
  const last = epochs.at(-1);
  const now = live?.epoch;
  const facts: [string, string | undefined][] = [
    ['test error', last && `${last.testError.toFixed(2)} %`],
    ['best so far', result?.best && `${result.best.error.toFixed(2)} % (epoch ${result.best.epoch})`],
    ['paper', result?.paperError === undefined ? undefined : `${result.paperError.toFixed(2)} %`],
    ['training loss', (live?.loss ?? last?.trainLoss)?.toFixed(4)],
    ['images/s', (live ? live.imagesPerSecond : last?.imagesPerSecond)?.toFixed(0)],
    ['time so far', result && formatDuration(result.seconds + (live?.secondsInEpoch ?? 0))],
    ['time left', live?.secondsLeft === undefined ? undefined : `about ${formatDuration(live.secondsLeft)}`],
  ];
  const known = facts.flatMap(([name, value]) =>
    value === undefined ? [] : [html`<div><dt>${name}</dt><dd>${value}</dd></div>`],
  );
  const total = experiment?.training.epochs;
  return html`<div class="bars">
${total === undefined ? html`` : bar('run', epochs.length, total, 'epochs')}
${now ? bar(`epoch ${now.epoch}, ${PARTS[now.part]}`, now.done, now.total, now.part === 'train' ? 'steps' : 'images') : html``}
</div>
<dl>${known}</dl>`;
}

function bar(name: string, done: number, total: number, unit: string): Html {
  return html`<label><span>${name}</span><progress value="${done}" max="${total}">${done} of ${total}</progress><span class="n">${done} / ${total} ${unit}</span></label>`;
}

/** `2026-11-26T02:03:04.123Z epoch 1/8` → `02:03:04 epoch 1/8`. */
function shortTime(line: string): string {
  return line.replace(/^\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)\.\d+Z/, '$1');
}
