import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CASES } from '../bench/suite/cases.js';
import { type ContenderName, peer } from '../bench/suite/contenders.js';
import { type Line, parseCsv } from '../bench/suite/table.js';
import { ENGINE_TITLES } from '../engines/engine.js';
import { type Sheet, sheetMarkdown } from '../tables/sheet.js';
import { packageRoot } from '../util/package.js';

/** A table that `densenet bench peers` wrote, in benchmarks/results. */
export function readSpeeds(name: string): Line[] {
  return parseCsv(readFileSync(join(packageRoot, 'benchmarks', 'results', `${name}.csv`), 'utf8'));
}

/**
 * The native engine, or on a GPU the TensorFlow engine, beside the fastest peer of each case; of these cases only,
 * where given. Of a GPU neither the share of its peak nor its memory is measured.
 */
export function speedTable(lines: readonly Line[], ids?: readonly string[]): string {
  const engine = lines.some(({ contender }) => contender === 'native') ? 'native' : 'tensorflow';
  const name = ENGINE_TITLES[engine];
  const more = engine === 'native' ? ['of peak', 'memory, MB'] : [];
  const numbers = [`${name}, images/s`, 'images/s', 'ratio', ...more];
  const sheet: Sheet = {
    columns: ['network, batch', `${name}, images/s`, 'fastest of the others', ...numbers.slice(1)],
    right: numbers,
    rows: CASES.filter(({ id }) => ids === undefined || ids.includes(id)).flatMap(({ id, title }) => {
      const ours = lines.find((line) => line.case === id && line.contender === engine);
      const fastest = fastestPeer(lines.filter((line) => line.case === id));
      if (!ours?.images_per_second || !fastest) return [];
      const row = [
        title,
        speedText(ours),
        peerTitle(fastest),
        speedText(fastest),
        `${ours.ratio_to_fastest_peer} ×`,
        `${(100 * Number(ours.share_of_peak)).toFixed(0)} %`,
        `${ours.peak_rss_mb}, ${fastest.peak_rss_mb}`,
      ];
      return [row.slice(0, 5 + more.length)];
    }),
    notes: [],
  };
  return sheetMarkdown(sheet).join('\n').trim();
}

function fastestPeer(lines: readonly Line[]): Line | undefined {
  const peers = lines.filter(({ contender }) => peer(contender as ContenderName));
  const speed = (line: Line) => Number(line.images_per_second);
  return peers.filter(speed).sort((a, b) => speed(b) - speed(a))[0];
}

/** `PyTorch 2.13.0, compiled`: without the build's suffix, and without the layout that Inductor did best with. */
function peerTitle({ contender, version }: Line): string {
  const name = version.split(/[,+-]/)[0]!;
  return contender === 'pytorch-compile' ? `${name}, compiled` : name;
}

/** Images per second of the median step, and from the slowest to the fastest round. */
function speedText({ batch, images_per_second, round_ms_medians }: Line): string {
  const rounds = round_ms_medians
    .split(' ')
    .filter(Boolean)
    .map((ms) => (1000 * Number(batch)) / Number(ms));
  const digits = (value: number) =>
    value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
  const median = digits(Number(images_per_second));
  if (rounds.length < 2) return median;
  return `${median} (${digits(Math.min(...rounds))} to ${digits(Math.max(...rounds))})`;
}
