import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { printable } from '../util/printable.js';
import type { Figure, LegendEntry, Panel } from './figure.js';
import { DASHES } from './figure.js';

/** Arimo comes with the program, for PNG; elsewhere any sans serif of the same widths will do. */
const FONT = 'Arimo, Arial, Helvetica, sans-serif';
const FONT_SIZE = 12;
/** Mean width of a character, in pixels. */
const CHARACTER = 5.9;
/** The same of a wider font than Arial, where a page has none. */
const WIDE_CHARACTER = 7;
const LINE = 16;
const MARGIN = 12;
const GAP = 18;
const TITLE = 20;

/**
 * Draws a figure. `paper` is black on white with the caption below it; `inline` takes the colours of the page around
 * it, which has the caption itself.
 */
export function figureSvg(figure: Figure, style: 'paper' | 'inline'): string {
  const width = 2 * MARGIN + figure.panels.reduce((sum, panel) => sum + panel.width + GAP, -GAP);
  const titled = figure.panels.some(({ title }) => title !== undefined) ? TITLE : 0;
  const parts: string[] = [];
  let x = MARGIN;
  for (const panel of figure.panels) {
    parts.push(panelSvg(panel, x, MARGIN + titled));
    x += panel.width + GAP;
  }
  let y = MARGIN + titled + Math.max(...figure.panels.map(({ height }) => height));
  const legend = legendSvg(figure.legend, width, y + LINE);
  parts.push(legend.svg);
  y += legend.height;
  if (style === 'paper') {
    const lines = wrap(figure.caption, (width - 2 * MARGIN) / CHARACTER);
    y += LINE / 2;
    for (const line of lines) {
      y += LINE;
      parts.push(text(MARGIN, y, line));
    }
  }
  const height = y + MARGIN;
  const colors = style === 'paper' ? 'color="#111"' : 'color="currentColor"';
  const paper = style === 'paper' ? `<rect width="${width}" height="${height}" fill="white"/>` : '';
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escapeXml(figure.caption)}" ` +
    `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ${colors} fill="currentColor" ` +
    `font-family="${FONT}" font-size="${FONT_SIZE}">${paper}${parts.join('')}</svg>`;
  return style === 'paper' ? numbered(svg) : svg;
}

/** Plot numbers what an image refers to through the whole process; in a file of its own the count begins with 1. */
function numbered(svg: string): string {
  const numbers = new Map<string, number>();
  return svg.replaceAll(/\b(plot-[a-z]+)-(\d+)/g, (name, kind) => {
    if (!numbers.has(name)) numbers.set(name, numbers.size + 1);
    return `${kind}-${numbers.get(name)}`;
  });
}

/** A plot as a group: what Plot says in CSS for a page would reach other plots of the same page. */
function panelSvg({ title, width, height, options }: Panel, x: number, y: number): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const plot = Plot.plot({ ...options, width, height, document });
  for (const style of plot.querySelectorAll('style')) style.remove();
  for (const element of plot.querySelectorAll('[class]')) element.removeAttribute('class');
  const heading = title === undefined ? '' : text(x + width / 2, y - 4, title, 'middle');
  return (
    `${heading}<g transform="translate(${x},${y})" text-anchor="middle" font-size="11" ` +
    `fill="currentColor">${plot.innerHTML}</g>`
  );
}

function legendSvg(entries: readonly LegendEntry[], width: number, top: number) {
  const symbolWidth = 30;
  const parts: string[] = [];
  let x = MARGIN;
  let row = 0;
  for (const { label, color, symbol } of entries) {
    const needed = symbolWidth + label.length * WIDE_CHARACTER + GAP;
    if (x > MARGIN && x + needed > width) {
      x = MARGIN;
      row += 1;
    }
    const y = top + row * LINE;
    const mark =
      symbol === 'point'
        ? `<circle cx="${x + 12}" cy="${y - 4}" r="4" fill="${color}"/>`
        : `<path d="M${x},${y - 4}h24" stroke="${color}" stroke-width="2" fill="none"${symbol === 'dashed' ? ` stroke-dasharray="${DASHES}"` : ''}/>`;
    parts.push(mark, text(x + symbolWidth, y, label));
    x += needed;
  }
  return { svg: parts.join(''), height: entries.length > 0 ? (row + 1) * LINE + LINE / 2 : 0 };
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' = 'start'): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${escapeXml(content)}</text>`;
}

function wrap(content: string, characters: number): string[] {
  const lines: string[] = [];
  for (const word of content.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= characters)
      lines.push(`${lines.pop()} ${word}`);
    else lines.push(word);
  }
  return lines;
}

/** Text inside XML and HTML, also inside a quoted attribute. */
export function escapeXml(content: string): string {
  return printable(content)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
