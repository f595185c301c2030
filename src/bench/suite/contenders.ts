import { join } from 'node:path';
import type { EngineName } from '../../engines/engine.js';
import { packageRoot } from '../../util/package.js';
import type { BenchReport } from '../report.js';
import type { Case } from './cases.js';
import type { PeerName } from './peer-environments.js';

export const CONTENDERS = ['native', 'tensorflow', 'pytorch', 'keras'] as const;
export type ContenderName = (typeof CONTENDERS)[number];

const PEER_PROGRAMS: Readonly<Record<PeerName, string>> = {
  pytorch: join(packageRoot, 'benchmarks', 'peers', 'torch_step.py'),
  keras: join(packageRoot, 'benchmarks', 'peers', 'keras_step.py'),
};

/** What a contender says of one round. */
export interface Round {
  /** Milliseconds of every step. */
  readonly times: readonly number[];
  readonly parameters: number;
  readonly peakRssBytes: number;
  /** Of the contender and what is below it. */
  readonly version: string;
  /** The multiply-add peak of the processor, where the contender measured it. */
  readonly peakFlopsPerSecond: number | undefined;
}

/** Other people's programs, which the engines are compared with. */
export function isPeer(name: ContenderName): name is PeerName {
  return name === 'pytorch' || name === 'keras';
}

/** Whether the contender has what the case asks for. */
export function takesPart(name: ContenderName, { memoryEfficient }: Case): boolean {
  return name !== 'keras' || !memoryEfficient;
}

export interface RoundOptions {
  readonly steps: number;
  readonly threads: number;
}

type CommandLine = readonly [file: string, ...args: string[]];

/** The command that measures a case on an engine and prints JSON. */
export function engineCommand(engine: EngineName, subject: Case, options: RoundOptions): CommandLine {
  const program = join(packageRoot, 'bin', 'densenet');
  const fixed = ['bench', '--json', '--engine', engine, '--device', 'cpu'];
  return [process.execPath, program, ...fixed, ...roundArguments(subject, options)];
}

/** The command that measures a case with a peer's program, run by `python`, and prints JSON. */
export function peerCommand(
  peer: PeerName,
  python: string,
  subject: Case,
  options: RoundOptions,
): CommandLine {
  return [python, '-B', PEER_PROGRAMS[peer], ...roundArguments(subject, options)];
}

/** `densenet bench` and the peers' programs take the same options. */
function roundArguments(subject: Case, { steps, threads }: RoundOptions): string[] {
  const { network, input, mode, batch, precision, memoryEfficient } = subject;
  return [
    ...['--depth', `${network.depth}`, '--growth-rate', `${network.growthRate}`],
    ...(network.bottleneck ? [] : ['--basic']),
    ...(network.blocks ? ['--blocks', network.blocks.join(',')] : []),
    ...['--input', `${input.channels}x${input.height}x${input.width}`, '--classes', `${input.classes}`],
    ...['--mode', mode, '--batch', `${batch}`, '--precision', precision],
    ...(memoryEfficient ? ['--memory-efficient'] : []),
    ...['--steps', `${steps}`, '--threads', `${threads}`],
  ];
}

/** Reads what a contender printed. */
export function readRound(name: ContenderName, stdout: string): Round {
  if (isPeer(name)) {
    return { peakFlopsPerSecond: undefined, ...(JSON.parse(stdout) as Omit<Round, 'peakFlopsPerSecond'>) };
  }
  const { times, parameters, peakRssBytes, peakFlopsPerSecond, engine } = JSON.parse(stdout) as BenchReport;
  return { times, parameters, peakRssBytes, peakFlopsPerSecond, version: engine.description };
}
