import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../../util/cache.js';
import type { EngineOptions } from '../../engine.js';
import { driverLibraryPath } from '../gpu/probe.js';

/** What a TensorFlow process is started for. */
export type ProcessOptions = Pick<
  EngineOptions,
  'threads' | 'batchSize' | 'gpu' | 'precision' | 'compile'
> & {
  readonly device: 'cpu' | 'gpu';
};

/** From this batch size on, oneDNN's kernels are worth their cost of dispatch. */
const ONEDNN_BATCH = 8;

/**
 * TensorFlow reads these once, when its library is loaded. By itself it would leave oneDNN's kernels off on
 * x86-64 processors without AVX-512 VNNI. For DenseNet-BC (L=100, k=12) on two AVX2 cores they made a training
 * step 1.5 times as fast at batch 64, and 1.7 times as slow at batch 1.
 */
export function processEnvironment(
  options: ProcessOptions & { readonly threads: number },
  cudaFolders: readonly string[],
): Record<string, string | undefined> {
  const { device, threads, batchSize = ONEDNN_BATCH, gpu, precision, compile } = options;
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
    ...(compile ? xlaFlags(device, cudaFolders) : {}),
    ...(search ? { LD_LIBRARY_PATH: search } : {}),
  };
}

/**
 * XLA takes clusters of ops by itself and compiles them when they run; what it has compiled is kept in the program's
 * cache. On a GPU it needs CUDA's compiler library, which lies beside TensorFlow's.
 */
function xlaFlags(device: 'cpu' | 'gpu', cudaFolders: readonly string[]) {
  const nvcc = cudaFolders.map((folder) => join(dirname(dirname(folder)), 'cuda_nvcc')).find(existsSync);
  // What the person has set comes last and counts.
  const tensorflow = [
    '--tf_xla_auto_jit=2',
    device === 'cpu' && '--tf_xla_cpu_global_jit',
    flag('--tf_xla_persistent_cache_directory', cacheFolder('xla')),
    process.env.TF_XLA_FLAGS,
  ];
  const xla = [
    device === 'gpu' && '--xla_gpu_deterministic_ops=true',
    device === 'gpu' && nvcc && flag('--xla_gpu_cuda_data_dir', nvcc),
    process.env.XLA_FLAGS,
  ];
  return { TF_XLA_FLAGS: tensorflow.filter(Boolean).join(' '), XLA_FLAGS: xla.filter(Boolean).join(' ') };
}

/** Flags are parted by spaces: a path with one cannot be given. */
function flag(name: string, path: string): string | false {
  return !/\s/.test(path) && `${name}=${path}`;
}
