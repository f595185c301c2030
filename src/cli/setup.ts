import { Command, Option } from 'commander';
import { createTensorFlowEngine } from '../engines/tensorflow/index.js';
import { ensureLibrary } from '../engines/tensorflow/library/setup.js';
import { addCommonOptions, type CommonOptions } from './options.js';
import { print, printJson } from './print.js';
import { terminalReporter } from './terminal.js';

const EXAMPLES = `
Examples:
  densenet setup tensorflow                 the library for the CPU
  densenet setup tensorflow --device gpu    with CUDA, for NVIDIA GPUs

Needs Python 3 with pip and a C++ compiler. Nothing is installed into Python: the library goes to the cache
folder, $XDG_CACHE_HOME/densenet or ~/.cache/densenet. train does this by itself when it is needed.`;

interface SetupOptions extends CommonOptions {
  readonly device: 'cpu' | 'gpu';
  readonly force?: boolean;
}

export function setupCommand(): Command {
  const tensorflow = new Command('tensorflow')
    .description('fetch the TensorFlow library with pip, check its digest, and compile the binding')
    .addOption(
      new Option('--device <device>', 'what TensorFlow is to run on').choices(['cpu', 'gpu']).default('cpu'),
    )
    .option('--force', 'do it again, even if it is there')
    .addHelpText('after', EXAMPLES);
  return new Command('setup')
    .description('set up an engine ahead of its first use')
    .addHelpText('after', EXAMPLES)
    .addCommand(addCommonOptions(tensorflow).action(setupTensorFlow));
}

async function setupTensorFlow(options: SetupOptions): Promise<void> {
  const reporter = terminalReporter(options);
  const { binding } = await ensureLibrary({ ...options, reporter });
  const engine = await createTensorFlowEngine({ device: options.device, setup: false, reporter });
  await engine.dispose();
  if (options.json) printJson({ device: engine.device, description: engine.description, binding });
  else print(`Ready: ${engine.description}`);
}
