import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UserError } from '../../../util/errors.js';
import { packageRoot } from '../../../util/package.js';
import { runTool, ToolError } from '../../../util/run-tool.js';

/** Of tfjs-node. */
const SOURCES = ['tfjs_backend.cc', 'tfjs_binding.cc'];

/** Our own. */
const OWN_SOURCE = join(packageRoot, 'tensorflow', 'float32.cc');

/** The binding finds the library beside itself, wherever the folder is moved. */
const FLAGS = ['-std=c++17', '-O2', '-fPIC', '-shared', '-w', '-Wl,-rpath,$ORIGIN/tensorflow'];
const LIBRARIES = ['-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2'];

/** What a compiled binding depends on, beside the library. */
export const BINDING_STAMP = [
  ...SOURCES,
  readFileSync(OWN_SOURCE, 'utf8'),
  ...FLAGS,
  ...LIBRARIES,
  process.arch,
].join(' ');

/**
 * Compiles tfjs-node's own binding against the library in `folder/tensorflow`, with one function of our own. The
 * binding uses only TensorFlow's C interface, which is stable, so that of 2022 works with the library of today. Throws
 * a UserError (engine), or the signal's reason.
 */
export async function compileBinding(
  compiler: string,
  folder: string,
  output: string,
  signal?: AbortSignal,
): Promise<void> {
  const require = createRequire(import.meta.url);
  const binding = join(dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')), 'binding');
  const nodeApi = join(dirname(require.resolve('node-api-headers/package.json')), 'include');
  const args = [
    ...FLAGS,
    ...SOURCES.map((source) => join(binding, source)),
    OWN_SOURCE,
    `-I${join(folder, 'tensorflow', 'include')}`,
    `-I${nodeApi}`,
    `-L${join(folder, 'tensorflow')}`,
    ...LIBRARIES,
    '-o',
    output,
  ];
  try {
    await runTool(compiler, args, { signal });
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw new UserError(
      'engine',
      `${compiler} cannot compile the TensorFlow binding: ${error.firstComplaint}`,
      'Set CXX to GCC 9 or newer, or use --engine native.',
      { cause: error },
    );
  }
}
