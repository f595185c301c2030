import { rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import type { EngineName } from '../../engines/engine.js';
import { onnxFile } from '../../export/onnx/model.js';
import { buildNetwork } from '../../networks/build.js';
import { parameterCount } from '../../networks/counts.js';
import type { Network } from '../../networks/network.js';
import { initialValues } from '../../networks/parameters.js';
import type { Reporter } from '../../util/reporter.js';
import { runTool, ToolError } from '../../util/run-tool.js';
import { temporaryFolder } from '../../util/temporary-folder.js';
import { summarize } from '../statistics.js';
import type { Case } from './cases.js';
import {
  type ContenderName,
  engineCommand,
  peer,
  peerCommand,
  type Round,
  readRound,
  takesPart,
} from './contenders.js';
import type { PeerEnvironment } from './peer-environments.js';

/** What one contender did in one case. */
export interface CaseResult {
  readonly subject: Case;
  readonly network: Network;
  readonly contender: ContenderName;
  /** The GPU's name; undefined for the CPU. */
  readonly gpu: string | undefined;
  readonly threads: number;
  /** Those that it finished. */
  readonly rounds: readonly Round[];
  /** Why it failed, in one line; a failure ends its part in the case. */
  readonly failure: string | undefined;
}

export interface SuiteOptions {
  readonly cases: readonly Case[];
  readonly contenders: readonly ContenderName[];
  /** The name of the GPU that is measured; the CPU where undefined. */
  readonly gpu: string | undefined;
  /** Times that every contender is started; its steps of all rounds are pooled. */
  readonly rounds: number;
  readonly steps: number;
  /** Where the case does not say; all cores where this is undefined too. */
  readonly threads?: number | undefined;
  /** The Python that runs a peer's program. */
  readonly python: (environment: PeerEnvironment) => Promise<string>;
  readonly reporter: Reporter;
  /** Ends the contender that runs; its reason is thrown. */
  readonly signal: AbortSignal;
}

/**
 * Measures every case. Each round starts every contender once, in a process of its own, in turn, so that a slow
 * moment of the machine affects all alike.
 */
export async function* runSuite(options: SuiteOptions): AsyncGenerator<readonly CaseResult[]> {
  for (const subject of options.cases) yield await runCase(subject, options);
}

async function runCase(subject: Case, options: SuiteOptions): Promise<CaseResult[]> {
  const { steps, gpu, signal } = options;
  const threads = threadsOf(subject, options.threads);
  const network = caseNetwork(subject);
  const contenders = options.contenders.filter((name) => takesPart(name, subject, gpu));
  const rounds = new Map<ContenderName, Round[]>(contenders.map((name) => [name, []]));
  const failures = new Map<ContenderName, string>();
  let onnx: string | undefined;
  const asked = { steps, threads, device: gpu ? 'gpu' : 'cpu' } as const;
  const command = async (name: ContenderName) => {
    const other = peer(name);
    if (!other) return engineCommand(name as EngineName, subject, asked);
    const onnxFile = other.onnx ? onnx : undefined;
    return peerCommand(other, await options.python(other.environment), subject, { ...asked, onnxFile });
  };
  const measure = async (name: ContenderName) => {
    try {
      const [file, ...args] = await command(name);
      const measured = readRound(name, await runTool(file, args, { signal }));
      checkSame(name, network, measured);
      rounds.get(name)!.push(measured);
      options.reporter.line(`  ${roundLine(name, subject, measured)}`);
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      const reason = error.lastComplaint.replace(/^error: /, '');
      failures.set(name, reason);
      options.reporter.warn(`${name}: ${reason}`);
    }
  };
  options.reporter.line(`${subject.title}:`);
  if (contenders.some((name) => peer(name)?.onnx)) onnx = await writeOnnx(network);
  try {
    for (let round = 1; round <= options.rounds; round++) {
      for (const name of contenders) if (!failures.has(name)) await measure(name);
    }
  } finally {
    if (onnx) await rm(dirname(onnx), { recursive: true });
  }
  return contenders.map((contender) => ({
    subject,
    network,
    contender,
    gpu,
    threads,
    rounds: rounds.get(contender)!,
    failure: failures.get(contender),
  }));
}

/** Threads of every contender in a case. */
export function threadsOf(subject: Case, asked: number | undefined): number {
  return subject.threads ?? asked ?? availableParallelism();
}

/** Seed of the weights of files: what they are does not matter, but none may be 0. */
const SEED = 1;

/** Exports the network with random weights into a folder of its own; returns the file. */
async function writeOnnx(network: Network): Promise<string> {
  const file = join(await temporaryFolder('bench'), 'network.onnx');
  await writeFile(file, onnxFile(network, initialValues(network, SEED), {}));
  return file;
}

/** The network that all contenders build. */
export function caseNetwork({ network, input }: Case): Network {
  return buildNetwork(network, input);
}

/** A contender that built another network would be compared unfairly. */
function checkSame(name: ContenderName, network: Network, { parameters }: Round): void {
  const expected = parameterCount(network);
  if (parameters !== undefined && parameters !== expected) {
    throw new Error(`${name} built a network of ${parameters} parameters, not ${expected}`);
  }
}

function roundLine(name: ContenderName, { batch }: Case, { times }: Round): string {
  const { median, min, max } = summarize(times);
  const range = `${min.toFixed(0)} to ${max.toFixed(0)}`;
  return `${name.padEnd(15)} ${((1000 * batch) / median).toFixed(1).padStart(8)} images/s, step ${median.toFixed(0)} ms (${range})`;
}
