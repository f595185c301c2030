import { availableParallelism } from 'node:os';
import { UserError } from '../../util/errors.js';
import type { EngineOptions } from '../engine.js';
import { TensorFlowEngine } from './engine.js';
import { driverLibraryPath } from './gpu/probe.js';
import type { GraphForm } from './graph/ops.js';
import { ensureLibrary, type Library } from './library/setup.js';
import { TensorFlowProcess } from './process/client.js';

export { TensorFlowEngine } from './engine.js';

/**
 * Starts TensorFlow, fetching its library first where that has not been done. Throws a UserError (engine) if
 * a GPU was asked for and TensorFlow finds none. `form`: see `TensorFlowEngine`.
 */
export async function createTensorFlowEngine(
  options: EngineOptions,
  form?: GraphForm,
): Promise<TensorFlowEngine> {
  const device = options.device === 'auto' ? 'cpu' : options.device;
  return startTensorFlow(await ensureLibrary({ ...options, device }), { ...options, device }, form);
}

type StartOptions = Pick<EngineOptions, 'threads' | 'batchSize' | 'gpu' | 'precision'> & {
  readonly device: 'cpu' | 'gpu';
};

/** As `createTensorFlowEngine`, with a library that is set up. */
export async function startTensorFlow(
  library: Library,
  options: StartOptions,
  form?: GraphForm,
): Promise<TensorFlowEngine> {
  const { device, threads = availableParallelism(), precision = 'float32' } = options;
  const process = new TensorFlowProcess(
    library.binding,
    environment({ ...options, threads }, library.cudaFolders),
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
    return new TensorFlowEngine(process, device, precision, `TensorFlow ${version} on ${on}`, form);
  } catch (error) {
    await process.close();
    throw error;
  }
}

/** From this batch size on, oneDNN's kernels are worth their cost of dispatch. */
const ONEDNN_BATCH = 8;

/**
 * TensorFlow reads these once, when its library is loaded. By itself it would leave oneDNN's kernels off on
 * x86-64 processors without AVX-512 VNNI. For DenseNet-BC (L=100, k=12) on two AVX2 cores they made a training
 * step 1.5 times as fast at batch 64, and 1.7 times as slow at batch 1.
 */
function environment(
  { device, threads, batchSize = ONEDNN_BATCH, gpu, precision }: StartOptions & { readonly threads: number },
  cudaFolders: readonly string[],
) {
  const oneDnn = batchSize >= ONEDNN_BATCH ? '1' : '0';
  const search = [...cudaFolders, driverLibraryPath()].filter(Boolean).join(':');
  return {
    TF_CPP_MIN_LOG_LEVEL: device === 'gpu' ? '1' : '2',
    TF_DETERMINISTIC_OPS: '1',
    // Otherwise max pooling on a GPU drops NaN, which would hide that a run diverged.
    TF_ENABLE_MAXPOOL_NANPROP: '1',
    // cuBLAS and cuDNN would otherwise multiply TF32 on Ampere and later.
    NVIDIA_TF32_OVERRIDE: precision === 'tf32' ? undefined : '0',
    ...(process.arch === 'x64' ? { TF_ENABLE_ONEDNN_OPTS: oneDnn } : {}),
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: '2',
    ...(device === 'cpu' ? { CUDA_VISIBLE_DEVICES: '-1' } : { TF_FORCE_GPU_ALLOW_GROWTH: 'true' }),
    ...(gpu ? { CUDA_VISIBLE_DEVICES: gpu.visibleDevice } : {}),
    ...(search ? { LD_LIBRARY_PATH: search } : {}),
  };
}

/** Why TensorFlow finds no GPU, as far as it has printed that: seldom in its last line. */
export function gpuComplaint(output: string): string {
  const line = output.split('\n').findLast((text) => /cuInit|dlopen|Ignoring visible gpu/i.test(text));
  return line ? `: ${line.replace(/^[IWEF]\d{4} .*?\] /, '').trim()}` : '';
}
