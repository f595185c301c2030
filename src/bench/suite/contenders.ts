import { join } from 'node:path';
import type { EngineName } from '../../engines/engine.js';
import { NODE_ARGUMENTS } from '../../util/node.js';
import { packageRoot } from '../../util/package.js';
import type { BenchReport } from '../report.js';
import type { Case } from './cases.js';
import type { PeerEnvironment } from './peer-environments.js';

export const CONTENDERS = [
  'native',
  'tensorflow',
  'pytorch',
  'pytorch-compile',
  'keras',
  'openvino',
  'onnxruntime',
] as const;
export type ContenderName = (typeof CONTENDERS)[number];

/** Somebody else's program, which the engines are compared with. */
interface Peer {
  readonly environment: PeerEnvironment;
  readonly devices: readonly Device[];
  /** In benchmarks/peers/, with what it takes beside the options of a round. */
  readonly command: readonly [file: string, ...args: string[]];
  /** Whether it runs the network as the ONNX file that the program exports. */
  readonly onnx?: boolean;
  takesPart(subject: Case): boolean;
}

type Device = 'cpu' | 'gpu';

const ANY = ['cpu', 'gpu'] as const;

/** Where the program's own engines run. */
const ENGINE_DEVICES: Readonly<Record<EngineName, readonly Device[]>> = { native: ['cpu'], tensorflow: ANY };

const isPrediction = ({ mode, precision }: Case) => mode === 'predict' && precision === 'float32';

const PEERS: Readonly<Record<Exclude<ContenderName, EngineName>, Peer>> = {
  pytorch: { environment: 'pytorch', devices: ANY, command: ['torch_step.py'], takesPart: () => true },
  'pytorch-compile': {
    environment: 'pytorch',
    devices: ANY,
    command: ['torch_step.py', '--compile'],
    takesPart: ({ memoryEfficient, precision }) => !memoryEfficient && precision === 'float32',
  },
  keras: {
    environment: 'keras',
    devices: ANY,
    command: ['keras_step.py'],
    takesPart: ({ memoryEfficient }) => !memoryEfficient,
  },
  openvino: {
    environment: 'onnx',
    devices: ['cpu'],
    command: ['onnx_step.py', '--runtime', 'openvino'],
    onnx: true,
    takesPart: isPrediction,
  },
  onnxruntime: {
    environment: 'onnx',
    devices: ['cpu'],
    command: ['onnx_step.py', '--runtime', 'onnxruntime'],
    onnx: true,
    takesPart: isPrediction,
  },
};

/** The peer of this name; undefined for the program's own engines. */
export function peer(name: ContenderName): Peer | undefined {
  return name === 'native' || name === 'tensorflow' ? undefined : PEERS[name];
}

/** What a contender says of one round. */
export interface Round {
  /** Milliseconds of every step. */
  readonly times: readonly number[];
  /** Undefined where the network was given. */
  readonly parameters: number | undefined;
  readonly peakRssBytes: number;
  /** Of the contender and what is below it. */
  readonly version: string;
  /** The multiply-add peak of the processor, where the contender measured it. */
  readonly peakFlopsPerSecond: number | undefined;
}

/** Whether the contender has what the case asks for, and runs on the CPU, or on a GPU where one is named. */
export function takesPart(name: ContenderName, subject: Case, gpu: string | undefined): boolean {
  const other = peer(name);
  const devices = other?.devices ?? ENGINE_DEVICES[name as EngineName];
  return devices.includes(gpu ? 'gpu' : 'cpu') && (other?.takesPart(subject) ?? true);
}

export interface RoundOptions {
  readonly device: Device;
  readonly steps: number;
  readonly threads: number;
}

type CommandLine = readonly [file: string, ...args: string[]];

/** The command that measures a case on an engine and prints JSON. */
export function engineCommand(engine: EngineName, subject: Case, options: RoundOptions): CommandLine {
  const program = join(packageRoot, 'bin', 'densenet');
  const fixed = ['bench', '--json', '--engine', engine];
  const network = subject.config ? ['--config', subject.config] : networkArguments(subject);
  return [
    process.execPath,
    ...NODE_ARGUMENTS,
    program,
    ...fixed,
    ...network,
    ...stepArguments(subject, options),
  ];
}

/** The command that measures a case with a peer's program, run by `python`, and prints JSON. */
export function peerCommand(
  { command: [file, ...args] }: Peer,
  python: string,
  subject: Case,
  options: RoundOptions & { readonly onnxFile: string | undefined },
): CommandLine {
  const program = join(packageRoot, 'benchmarks', 'peers', file);
  const model = options.onnxFile === undefined ? [] : ['--model', options.onnxFile];
  const network = networkArguments(subject);
  return [python, '-B', program, ...args, ...model, ...network, ...stepArguments(subject, options)];
}

/** `densenet bench` and the peers' programs take the same options for DenseNets; only peers take those of ResNets. */
function networkArguments({ network, input }: Case): string[] {
  return [
    ...['--depth', `${network.depth}`],
    ...(network.family === 'densenet'
      ? ['--growth-rate', `${network.growthRate}`]
      : ['--family', 'resnet', '--activation', network.activation, '--widening', `${network.width}`]),
    ...(network.bottleneck ? [] : ['--basic']),
    ...(network.blocks ? ['--blocks', network.blocks.join(',')] : []),
    ...['--input', `${input.channels}x${input.height}x${input.width}`, '--classes', `${input.classes}`],
  ];
}

/** `densenet bench` and the peers' programs take the same. */
function stepArguments(subject: Case, { steps, threads, device }: RoundOptions): string[] {
  const { mode, batch, precision, memoryEfficient } = subject;
  return [
    ...['--mode', mode, '--batch', `${batch}`, '--precision', precision],
    ...(memoryEfficient ? ['--memory-efficient'] : []),
    ...['--steps', `${steps}`, '--threads', `${threads}`, '--device', device],
  ];
}

/** Reads what a contender printed. */
export function readRound(name: ContenderName, stdout: string): Round {
  if (peer(name)) {
    const { parameters, ...answer } = JSON.parse(stdout) as Omit<Round, 'peakFlopsPerSecond'>;
    return { ...answer, parameters: parameters ?? undefined, peakFlopsPerSecond: undefined };
  }
  const { times, parameters, peakRssBytes, peakFlopsPerSecond, engine } = JSON.parse(stdout) as BenchReport;
  return { times, parameters, peakRssBytes, peakFlopsPerSecond, version: engine.description };
}
