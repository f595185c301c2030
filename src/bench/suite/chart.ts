import { CASES } from './cases.js';
import { CONTENDERS, type ContenderName } from './contenders.js';
import type { Line } from './table.js';

const COLORS: Readonly<Record<ContenderName, string>> = {
  native: '#1b6ca8',
  tensorflow: '#7fb2d9',
  pytorch: '#d1603d',
  'pytorch-compile': '#e39a80',
  keras: '#e9b44c',
  openvino: '#5b8c5a',
  onnxruntime: '#a3c4a2',
};

const LABELS = 300;
const BARS = 480;
const VALUES = 130;
const BAR = 13;
const GAP = 16;
const TOP = 74;

/**
 * A bar chart (SVG) of images per second, a group of bars for each case, in units of the case's fastest peer:
 * speeds differ too much between networks for one axis. Cases in which no peer was measured are left out.
 */
export function speedChart(lines: readonly Line[], title: string): string {
  const bars = lines.filter((line) => line.ratio_to_fastest_peer !== '').map(toBar);
  const scale = BARS / Math.max(1, ...bars.map(({ ratio }) => ratio));
  const body: string[] = [];
  let y = TOP;
  for (const subject of new Set(bars.map((bar) => bar.subject))) {
    const group = bars.filter((bar) => bar.subject === subject);
    const middle = y + (group.length * BAR) / 2 + 4;
    body.push(text(LABELS - 10, middle, CASES.find(({ id }) => id === subject)?.title ?? subject, 'end'));
    for (const { contender, ratio, imagesPerSecond } of group) {
      const width = (scale * ratio).toFixed(1);
      body.push(
        `<rect x="${LABELS}" y="${y}" width="${width}" height="${BAR - 2}" fill="${COLORS[contender]}"/>`,
      );
      const value = `${ratio.toFixed(2)} × (${speed(imagesPerSecond)}/s)`;
      body.push(text(LABELS + scale * ratio + 6, y + BAR - 3, value, 'start'));
      y += BAR;
    }
    y += GAP;
  }
  const line = LABELS + scale;
  const width = LABELS + BARS + VALUES;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${y}" fill="#fff"/>`,
    text(12, 20, title, 'start'),
    text(12, 36, 'Images per second, relative to the fastest peer; longer is faster', 'start'),
    ...legend(bars),
    `<line x1="${line}" x2="${line}" y1="${TOP - 6}" y2="${y - GAP}" stroke="#888" stroke-dasharray="3 3"/>`,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

interface Bar {
  readonly subject: string;
  readonly contender: ContenderName;
  readonly ratio: number;
  readonly imagesPerSecond: number;
}

function toBar(line: Line): Bar {
  return {
    subject: line.case,
    contender: line.contender as ContenderName,
    ratio: Number(line.ratio_to_fastest_peer),
    imagesPerSecond: Number(line.images_per_second),
  };
}

function legend(bars: readonly Bar[]): string[] {
  const present = CONTENDERS.filter((name) => bars.some(({ contender }) => contender === name));
  return present.flatMap((name, index) => {
    const x = LABELS + 110 * index;
    return [
      `<rect x="${x}" y="48" width="11" height="11" fill="${COLORS[name]}"/>`,
      text(x + 16, 58, name, 'start'),
    ];
  });
}

/** Three digits, or all before the point. */
function speed(imagesPerSecond: number): string {
  return imagesPerSecond < 100 ? imagesPerSecond.toPrecision(3) : imagesPerSecond.toFixed(0);
}

function text(x: number, y: number, content: string, anchor: 'start' | 'end'): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}" fill="#222">${escaped}</text>`;
}
