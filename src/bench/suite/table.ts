import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { multiplyAdds } from '../../networks/counts.js';
import type { Machine } from '../../util/machine.js';
import type { BenchReport } from '../report.js';
import { type Summary, summarize } from '../statistics.js';
import { type ContenderName, peer } from './contenders.js';
import type { CaseResult } from './run.js';

/** What the results of a case amount to for one contender. Undefined is what was not measured. */
export interface Row {
  readonly result: CaseResult;
  readonly contender: ContenderName;
  /** Of all steps of all rounds, in milliseconds. */
  readonly step: Summary | undefined;
  readonly imagesPerSecond: number | undefined;
  readonly peakRssBytes: number | undefined;
  /** Of the processor's measured multiply-add peak. */
  readonly shareOfPeak: number | undefined;
  /** Images per second in units of the fastest peer's. */
  readonly ratio: number | undefined;
}

/** Puts the contenders of one case beside each other. */
export function compare(results: readonly CaseResult[]): Row[] {
  const speeds = results.map((result) => {
    const times = result.rounds.flatMap((round) => round.times);
    const step = times.length > 0 ? summarize(times) : undefined;
    return { result, step, imagesPerSecond: step && (1000 * result.subject.batch) / step.median };
  });
  const peers = speeds.filter(({ result, step }) => peer(result.contender) && step !== undefined);
  const best = peers.length > 0 ? Math.max(...peers.map((one) => one.imagesPerSecond!)) : undefined;
  const peaks = results
    .flatMap(({ rounds }) => rounds.map((round) => round.peakFlopsPerSecond))
    .filter((peak) => peak !== undefined);
  const peak = peaks.length > 0 ? Math.max(...peaks) : undefined;

  return speeds.map(({ result, step, imagesPerSecond }) => {
    const passes = result.subject.mode === 'train' ? 3 : 1;
    const flops = imagesPerSecond && 2 * passes * multiplyAdds(result.network) * imagesPerSecond;
    return {
      result,
      contender: result.contender,
      step,
      imagesPerSecond,
      peakRssBytes: step && Math.max(...result.rounds.map((round) => round.peakRssBytes)),
      shareOfPeak: flops && peak && flops / peak,
      ratio: imagesPerSecond && best && imagesPerSecond / best,
    };
  });
}

export interface Provenance {
  readonly machine: Machine;
  readonly git: BenchReport['versions']['git'];
  /** ISO 8601, of the start. */
  readonly date: string;
}

const COLUMNS = [
  'case',
  'network',
  'input',
  'mode',
  'batch',
  'precision',
  'memory_efficient',
  'contender',
  'version',
  'device',
  'threads',
  'rounds',
  'n',
  'images_per_second',
  'step_ms_median',
  'step_ms_min',
  'step_ms_max',
  'round_ms_medians',
  'ratio_to_fastest_peer',
  'share_of_peak',
  'peak_rss_mb',
  'failure',
  'cpu',
  'cores',
  'platform',
  'commit',
  'date',
] as const;

/** One line of the table: what one contender did in one case. A value that was not measured is empty. */
export type Line = Readonly<Record<(typeof COLUMNS)[number], string>>;

export function toLine(row: Row, { machine, git, date }: Provenance): Line {
  const { result, contender, step, imagesPerSecond, peakRssBytes, shareOfPeak, ratio } = row;
  const { subject, network, gpu, threads, rounds, failure } = result;
  const { input } = subject;
  return {
    case: subject.id,
    network: network.title,
    input: `${input.channels}x${input.height}x${input.width}`,
    mode: subject.mode,
    batch: `${subject.batch}`,
    precision: subject.precision,
    memory_efficient: subject.memoryEfficient ? 'yes' : 'no',
    contender,
    version: rounds[0]?.version ?? '',
    device: deviceName(gpu),
    threads: `${threads}`,
    rounds: `${rounds.length}`,
    n: `${step?.n ?? ''}`,
    images_per_second: imagesPerSecond?.toFixed(2) ?? '',
    step_ms_median: step?.median.toFixed(1) ?? '',
    step_ms_min: step?.min.toFixed(1) ?? '',
    step_ms_max: step?.max.toFixed(1) ?? '',
    round_ms_medians: rounds.map(({ times }) => summarize(times).median.toFixed(1)).join(' '),
    ratio_to_fastest_peer: ratio?.toFixed(2) ?? '',
    share_of_peak: shareOfPeak?.toFixed(3) ?? '',
    peak_rss_mb: peakRssBytes ? (peakRssBytes / 1e6).toFixed(0) : '',
    failure: failure ?? '',
    cpu: machine.cpu,
    cores: `${machine.cores}`,
    platform: machine.platform,
    commit: git ? `${git.commit}${git.dirty ? ' (changed)' : ''}` : '',
    date,
  };
}

export function toCsv(lines: readonly Line[]): string {
  return stringify([...lines], { header: true, columns: [...COLUMNS] });
}

/** In the column `device`. */
export function deviceName(gpu: string | undefined): string {
  return gpu ?? 'CPU';
}

/** Older tables have no column `device`: they measured the CPU. */
const OLDER: Partial<Line> = { device: deviceName(undefined) };

/** Reads what toCsv wrote, also with fewer columns. Throws an Error that says what is damaged. */
export function parseCsv(text: string): Line[] {
  const records = parse(text, { columns: true }) as Record<string, string>[];
  return records.map((record) => {
    if (!record.case || !record.contender) throw new Error('it has no columns case and contender');
    return Object.fromEntries(
      COLUMNS.map((column) => [column, record[column] ?? OLDER[column] ?? '']),
    ) as Line;
  });
}
