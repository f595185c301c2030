import { availableParallelism } from 'node:os';
import { UserError } from '../../util/errors.js';
import type { EngineOptions } from '../engine.js';
import { TensorFlowEngine } from './engine.js';
import type { GraphForm } from './graph/ops.js';
import { ensureLibrary, type Library } from './library/setup.js';
import { TensorFlowProcess } from './process/client.js';
import { type ProcessOptions, processEnvironment } from './process/environment.js';

export { TensorFlowEngine } from './engine.js';

/**
 * Starts TensorFlow, fetching its library first where that has not been done. Throws a UserError (engine) if
 * a GPU was asked for and TensorFlow finds none. `form` is what graphs are written
 * for: tests run those for a GPU on the CPU.
 */
export async function createTensorFlowEngine(
  options: EngineOptions,
  form?: GraphForm,
): Promise<TensorFlowEngine> {
  const device = options.device === 'auto' ? 'cpu' : options.device;
  return startTensorFlow(await ensureLibrary({ ...options, device }), { ...options, device }, form);
}

/** As `createTensorFlowEngine`, with a library that is set up. */
export async function startTensorFlow(
  library: Library,
  options: ProcessOptions,
  form: GraphForm = options.device,
): Promise<TensorFlowEngine> {
  const { device, threads = availableParallelism(), precision = 'float32' } = options;
  const { batchSize, compile = false } = options;
  const process = new TensorFlowProcess(
    library.binding,
    processEnvironment({ ...options, threads }, library.cudaFolders),
  );
  try {
    const { version, gpu } = await process.status();
    if (device === 'gpu' && !gpu) {
      throw new UserError(
        'engine',
        `a GPU was asked for, but TensorFlow ${version} finds none${gpuComplaint(process.output)}`,
        'Run densenet doctor, which looks for the cause, or use --device cpu.',
      );
    }
    const on =
      device === 'gpu'
        ? `GPU${options.gpu ? ` (${options.gpu.name})` : ''}`
        : `CPU, ${threads} thread${threads === 1 ? '' : 's'}`;
    return new TensorFlowEngine(process, {
      device,
      precision,
      description: `TensorFlow ${version} on ${on}${compile ? ', compiled by XLA' : ''}`,
      use: { form, images: batchSize ?? Number.POSITIVE_INFINITY, compiled: compile },
    });
  } catch (error) {
    await process.close();
    throw error;
  }
}

/** Why TensorFlow finds no GPU, as far as it has printed that: seldom in its last line. */
function gpuComplaint(output: string): string {
  const line = output.split('\n').findLast((text) => /cuInit|dlopen|Ignoring visible gpu/i.test(text));
  return line ? `: ${line.replace(/^[IWEF]\d{4} .*?\] /, '').trim()}` : '';
}
