import { Command, Option } from 'commander';
import { CASES, type Case } from '../bench/suite/cases.js';
import { CONTENDERS, type ContenderName } from '../bench/suite/contenders.js';
import { writeSuite } from '../bench/suite/index.js';
import { ensurePeer, type PeerEnvironment } from '../bench/suite/peer-environments.js';
import type { Gpu } from '../engines/engine.js';
import { chooseEngine } from '../engines/select.js';
import { refuseUnused } from './inherited-options.js';
import { stopInOrder } from './interrupt.js';
import { terminalReporter } from './terminal.js';
import { names, positiveInteger } from './values.js';

const EXAMPLES = `
Examples:
  densenet bench peers                                      everything; takes hours
  densenet bench peers --cases bc-100-12,bc-40-12 --steps 5
  densenet bench peers --resume                             what the files do not have yet, after a kill
  densenet bench peers --contenders native,pytorch --pytorch-python ~/venv/bin/python
  densenet bench peers --device gpu --contenders tensorflow,pytorch --pytorch-python python3

Options of bench that apply: --steps <n>, of every round; --threads <n>; --device gpu or --gpu <n>, without which the
CPU is measured. A GPU is measured with the TensorFlow engine, PyTorch and Keras; the latter needs --keras-python with a
TensorFlow that has CUDA.

Cases:
${CASES.map(({ id, title }) => `  ${id.padEnd(32)}${title}`).join('\n')}`;

const STOPPING = 'stopping; the cases that are done are kept: go on with --resume';

interface PeersOptions {
  readonly cases: readonly Case[];
  readonly contenders: readonly ContenderName[];
  readonly rounds: number;
  /** Of `bench`, as the next four: it takes them before or after the word `peers`. */
  readonly steps: number;
  readonly threads?: number;
  readonly device: 'auto' | 'cpu' | 'gpu';
  readonly gpu?: number;
  readonly quiet?: boolean;
  readonly output: string;
  readonly name?: string;
  readonly resume?: boolean;
  readonly pytorchPython?: string;
  readonly kerasPython?: string;
  readonly onnxPython?: string;
}

export function benchPeersCommand(): Command {
  return new Command('peers')
    .description('measure the engines and their peers, in turn; writes CSV and a chart')
    .addOption(new Option('--cases <id,…>', 'what to measure').argParser(cases).default(CASES, 'all'))
    .addOption(
      new Option('--contenders <name,…>', `any of ${CONTENDERS.join(', ')}`)
        .argParser(contenders)
        .default(CONTENDERS, 'all'),
    )
    .option('--rounds <n>', 'times that each is started, in turn', positiveInteger, 3)
    .option('--output <dir>', 'folder of the results', 'benchmarks/results')
    .option('--name <name>', 'name of the files (default: peers, on a GPU peers-gpu)')
    .option('--resume', 'keep the cases that the files have in full, measure the others')
    .option('--pytorch-python <path>', 'a Python that has PyTorch (default: one is set up)')
    .option('--keras-python <path>', 'a Python that has Keras (default: one is set up)')
    .option('--onnx-python <path>', 'a Python that has OpenVINO and ONNX Runtime (default: one is set up)')
    .addHelpText('after', EXAMPLES)
    .action((_, command: Command) => {
      refuseUnused(command, ['steps', 'threads', 'device', 'gpu', 'quiet']);
      return runPeers(command.optsWithGlobals<PeersOptions>());
    });
}

async function runPeers(options: PeersOptions): Promise<void> {
  const reporter = terminalReporter(options);
  const signal = stopInOrder(reporter, STOPPING);
  const given = {
    pytorch: options.pytorchPython,
    keras: options.kerasPython,
    onnx: options.onnxPython,
  };
  const python = async (name: PeerEnvironment) => given[name] ?? (await ensurePeer(name, reporter, signal));
  const { output: folder, resume = false } = options;
  const gpu = await gpuOf(options);
  // The programs that are started see this GPU alone.
  if (gpu) process.env.CUDA_VISIBLE_DEVICES = gpu.visibleDevice;
  const { name = gpu ? 'peers-gpu' : 'peers' } = options;
  try {
    const suite = { ...options, gpu: gpu?.name, name, folder, resume, python, signal, reporter };
    for (const path of await writeSuite(suite)) reporter.line(`Wrote ${path}`);
  } catch (error) {
    if (error !== signal.reason) throw error;
  }
}

/** The GPU to measure, where one is asked for. */
async function gpuOf({ device, gpu }: PeersOptions): Promise<Gpu | undefined> {
  if (device !== 'gpu' && gpu === undefined) return undefined;
  return (await chooseEngine({ engine: 'tensorflow', device, gpu })).gpu;
}

function cases(text: string): readonly Case[] {
  return names(
    text,
    CASES.map(({ id }) => id),
  ).map((id) => CASES.find((subject) => subject.id === id)!);
}

function contenders(text: string): readonly ContenderName[] {
  return names(text, CONTENDERS);
}
