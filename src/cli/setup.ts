import { Command, Option } from 'commander';
import { loadNative } from '../engines/native/loader.js';
import { findGpus, pickGpu } from '../engines/tensorflow/gpu/find.js';
import { startTensorFlow } from '../engines/tensorflow/index.js';
import { ensureLibrary } from '../engines/tensorflow/library/setup.js';
import { addTerminalOptions, type TerminalOptions } from './options.js';
import { print, printJson } from './print.js';
import { terminalReporter } from './terminal.js';

const EXAMPLES = `
Examples:
  densenet setup native                     compile the native engine for this processor
  densenet setup tensorflow                 the library for the CPU
  densenet setup tensorflow --device gpu    with CUDA, for NVIDIA GPUs: 3.4 GB to fetch, 5.6 GB on disk

TensorFlow need not be set up on the machine that will train: without a GPU, setup only warns, so container images can
be built anywhere. It needs Python 3 with pip and a C++ compiler. Nothing is installed into Python: the library goes to
the cache folder, $XDG_CACHE_HOME/densenet or ~/.cache/densenet. train does all of this by itself when it is needed.`;

interface SetupCliOptions extends TerminalOptions {
  readonly device: 'cpu' | 'gpu';
  readonly force?: boolean;
}

export function setupCommand(): Command {
  const native = new Command('native').description(
    'compile the native engine (CPU) for the processor of this machine',
  );
  const tensorflow = new Command('tensorflow')
    .description('fetch the TensorFlow library with pip, check its digest, and compile the binding')
    .addOption(
      new Option('--device <device>', 'what TensorFlow is to run on').choices(['cpu', 'gpu']).default('cpu'),
    )
    .option('--force', 'set it up again, even if it is there')
    .addHelpText('after', EXAMPLES);
  return new Command('setup')
    .description('set up an engine ahead of its first use')
    .addHelpText('after', EXAMPLES)
    .addCommand(addTerminalOptions(native).action(setupNative))
    .addCommand(addTerminalOptions(tensorflow).action(setupTensorFlow));
}

async function setupNative(options: TerminalOptions): Promise<void> {
  const { instructions } = await loadNative({ setup: true, reporter: terminalReporter(options) });
  if (options.json) printJson({ instructions });
  else print(`Ready: native engine, ${instructions}`);
}

async function setupTensorFlow(options: SetupCliOptions): Promise<void> {
  const reporter = terminalReporter(options);
  const library = await ensureLibrary({ ...options, setup: true, reporter });
  const gpu = options.device === 'gpu' ? pickGpu(await findGpus()) : undefined;
  const missing = gpu && 'missing' in gpu ? gpu.missing : undefined;
  if (missing) {
    reporter.warn(`the library with CUDA is set up, but there is no GPU here to try it on: ${missing}`);
  }
  const engine = await startTensorFlow(
    library,
    gpu && 'visibleDevice' in gpu ? { device: 'gpu', gpu } : { device: 'cpu' },
  );
  await engine.dispose();
  const { device, description } = engine;
  if (options.json) printJson({ device, description, binding: library.binding, missing });
  else print(`Ready: ${description}`);
}
