import { availableParallelism } from 'node:os';
import type { Engine } from '../engines/engine.js';
import { multiplyAdds, parameterCount } from '../networks/counts.js';
import type { Network } from '../networks/network.js';
import type { BuildOptions } from '../util/addon/build.js';
import { type Machine, machine } from '../util/machine.js';
import { type GitState, gitState, packageVersion } from '../util/package.js';
import { peakFlops } from './instruments.js';
import { type Summary, summarize } from './statistics.js';
import { type StepOptions, type StepTimes, timeSteps } from './steps.js';

/** What `densenet bench --json` prints. */
export interface BenchReport {
  readonly network: string;
  readonly parameters: number;
  /** Of one image, forward. */
  readonly multiplyAdds: number;
  readonly mode: StepOptions['mode'];
  readonly batch: number;
  readonly memoryEfficient: boolean;
  readonly precision: StepOptions['precision'];
  readonly engine: { readonly name: string; readonly device: string; readonly description: string };
  readonly threads: number;
  readonly stepMilliseconds: Summary;
  /** Every measured step, in order, in milliseconds. */
  readonly times: readonly number[];
  /** From the median step, as all that follows. */
  readonly imagesPerSecond: number;
  /** 2 FLOPs per multiply-add; a training step counts as three forward passes. */
  readonly flopsPerSecond: number;
  /** Measured multiply-add peak of the processor on these threads; none on a GPU. */
  readonly peakFlopsPerSecond: number | undefined;
  readonly shareOfPeak: number | undefined;
  /** Largest resident memory. */
  readonly peakRssBytes: number;
  readonly profile: StepTimes['profile'];
  readonly machine: Machine;
  readonly versions: Versions;
}

interface Versions {
  readonly densenet: string;
  readonly node: string;
  readonly git: GitState | undefined;
}

/** Measures a network on an engine, and the peak of the machine beside it. */
export async function benchmark(
  engine: Engine,
  network: Network,
  options: StepOptions & BuildOptions & { readonly threads?: number | undefined },
): Promise<BenchReport> {
  const threads = options.threads ?? availableParallelism();
  // The peak before and after: whatever else the machine does can only make it look lower than it is.
  const measurePeak = async () => (engine.device === 'cpu' ? peakFlops(threads, options) : undefined);
  const before = await measurePeak();
  const { times, peakMemoryBytes, profile } = await timeSteps(engine, network, options);
  const after = await measurePeak();
  const peak = before && after && Math.max(before, after);
  const step = summarize(times);
  const imagesPerSecond = (1000 * options.batch) / step.median;
  const passes = options.mode === 'train' ? 3 : 1;
  const flopsPerSecond = 2 * multiplyAdds(network) * passes * imagesPerSecond;
  return {
    network: network.title,
    parameters: parameterCount(network),
    multiplyAdds: multiplyAdds(network),
    mode: options.mode,
    batch: options.batch,
    memoryEfficient: options.memoryEfficient,
    precision: options.precision,
    engine: { name: engine.name, device: engine.device, description: engine.description },
    threads,
    stepMilliseconds: step,
    times,
    imagesPerSecond,
    flopsPerSecond,
    peakFlopsPerSecond: peak,
    shareOfPeak: peak === undefined ? undefined : flopsPerSecond / peak,
    peakRssBytes: peakMemoryBytes,
    profile,
    machine: machine(),
    versions: { densenet: packageVersion, node: process.version, git: await gitState() },
  };
}
