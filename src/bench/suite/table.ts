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

/** The rows as CSV; a value that was not measured is empty. */
export function toCsv(rows: readonly Row[], { machine, git, date }: Provenance): string {
  const records = rows.map(
    ({ result, contender, step, imagesPerSecond, peakRssBytes, shareOfPeak, ratio }) => {
      const { subject, network, threads, rounds, failure } = result;
      return {
        case: subject.id,
        network: network.title,
        input: `${subject.input.channels}x${subject.input.height}x${subject.input.width}`,
        mode: subject.mode,
        batch: subject.batch,
        precision: subject.precision,
        memory_efficient: subject.memoryEfficient ? 'yes' : 'no',
        contender,
        version: rounds[0]?.version,
        threads,
        rounds: rounds.length,
        n: step?.n,
        images_per_second: imagesPerSecond?.toFixed(2),
        step_ms_median: step?.median.toFixed(1),
        step_ms_min: step?.min.toFixed(1),
        step_ms_max: step?.max.toFixed(1),
        ratio_to_fastest_peer: ratio?.toFixed(2),
        share_of_peak: shareOfPeak?.toFixed(3),
        peak_rss_mb: peakRssBytes && (peakRssBytes / 1e6).toFixed(0),
        failure,
        cpu: machine.cpu,
        cores: machine.cores,
        platform: machine.platform,
        commit: git && `${git.commit}${git.dirty ? ' (changed)' : ''}`,
        date,
      };
    },
  );
  return stringify(records, { header: true });
}
