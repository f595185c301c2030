import { UserError } from '../../../util/errors.js';
import type { Gpu } from '../../engine.js';
import { TENSORFLOW_VERSION } from '../library/packages.js';
import { askDriver, type DriverReport, type ReportedGpu } from './probe.js';

/** Why there is no GPU to use: one line of what is missing, and one of what to do. */
export interface NoGpu {
  readonly missing: string;
  readonly remedy: string;
}

/** All that was found: GPUs in CUDA's order, each usable or not, or why none can be seen. */
export type GpuSearch = { readonly gpus: readonly (Gpu | (NoGpu & { readonly index: number }))[] } | NoGpu;

/**
 * Compute capabilities that the CUDA wheel has kernels for: 6.0, 7.0, 8.0, 8.9 and 9.0, of which a GPU runs those of
 * its own major number (tensorflow/python/platform/build_info.py). What is newer would compile the kernels of 9.0 for
 * itself; on 12.0 that fails with CUDA_ERROR_INVALID_PTX (tensorflow/tensorflow issues 97387, 99592 and 101746).
 */
const OLDEST_CAPABILITY = 6;
const NEWEST_CAPABILITY = 9;

/** The driver must support CUDA 12.0, with which all libraries of CUDA 12 run (CUDA Compatibility, NVIDIA). */
const OLDEST_CUDA = 12_000;
const OLDEST_DRIVER = '525.60.13';

/** Looks for GPUs that TensorFlow can use. Nothing is fetched or set up. */
export async function findGpus(): Promise<GpuSearch> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return {
      missing: `TensorFlow with CUDA is not published for ${process.platform} on ${process.arch}`,
      remedy: 'Use --device cpu, or Linux on an x86-64 processor (on Windows: WSL 2).',
    };
  }
  const visible = process.env.CUDA_VISIBLE_DEVICES;
  if (visible !== undefined && /^\s*(-.*)?$/.test(visible)) {
    return {
      missing: `CUDA_VISIBLE_DEVICES is '${visible}', which hides every GPU`,
      remedy: 'Unset it, or set it to the number of a GPU; or use --device cpu.',
    };
  }
  const report = await askDriver();
  if (report === undefined) {
    return {
      missing: 'looking for a GPU needs Python 3 with its module ctypes',
      remedy: 'Run `apt-get install python3`, or use --device cpu.',
    };
  }
  if ('failure' in report) {
    return {
      missing: `the NVIDIA driver could not be asked: ${report.failure}`,
      remedy: 'As a first step, check that nvidia-smi lists the GPU; or use --device cpu.',
    };
  }
  return judge(report, visible?.split(','));
}

/** What of the driver's report TensorFlow can use. `visible` is CUDA_VISIBLE_DEVICES, where it is set. */
export function judge(report: DriverReport, visible?: readonly string[]): GpuSearch {
  const fault = driverFault(report);
  if (fault) return fault;
  return {
    gpus: report.gpus.map((gpu, index) => {
      const missing = capabilityFault(gpu);
      if (missing) return { index, missing, remedy: 'Use another GPU, or --device cpu.' };
      const { capability, memory, freeMemory } = gpu;
      return {
        index,
        visibleDevice: visible?.[index]?.trim() ?? String(index),
        name: report.driverVersion === null ? gpu.name : `${gpu.name}, driver ${report.driverVersion}`,
        capability,
        memory,
        freeMemory: freeMemory ?? undefined,
      };
    }),
  };
}

function driverFault({ cuda, nvml, init, cudaVersion, gpus }: DriverReport): NoGpu | undefined {
  const check = 'check that nvidia-smi lists the GPU';
  if (cuda !== null) {
    return {
      missing: `no NVIDIA driver was found (${loaderError(cuda)})`,
      remedy: `Install the NVIDIA driver and ${check}, start a container with its GPUs (--gpus all), or use --device cpu.`,
    };
  }
  if (cudaVersion < OLDEST_CUDA) {
    return {
      missing: `the NVIDIA driver is too old: it supports CUDA ${cudaName(cudaVersion)}, and TensorFlow ${TENSORFLOW_VERSION} needs ${cudaName(OLDEST_CUDA)}`,
      remedy: `Install driver ${OLDEST_DRIVER} or newer, or use --device cpu.`,
    };
  }
  if (init.code !== 0) {
    return {
      missing: `the NVIDIA driver finds no GPU (cuInit: ${init.name}, ${init.code})`,
      remedy: `As a first step, ${check}; or use --device cpu.`,
    };
  }
  if (gpus.length === 0) {
    return {
      missing: 'the NVIDIA driver lists no GPU',
      remedy: `As a first step, ${check}; or use --device cpu.`,
    };
  }
  if (nvml !== null) {
    return {
      missing: `TensorFlow ${TENSORFLOW_VERSION} finds no GPU without NVIDIA's management library (${loaderError(nvml)})`,
      remedy: 'Start containers with NVIDIA_DRIVER_CAPABILITIES=compute,utility, or use --device cpu.',
    };
  }
  return undefined;
}

function capabilityFault({ name, capability }: ReportedGpu): string | undefined {
  const [major] = capability;
  if (major >= OLDEST_CAPABILITY && major <= NEWEST_CAPABILITY) return undefined;
  const has = `TensorFlow ${TENSORFLOW_VERSION} has kernels for ${OLDEST_CAPABILITY}.0 to ${NEWEST_CAPABILITY}.0`;
  const note = major > NEWEST_CAPABILITY ? ' and is reported to fail on 12.0' : '';
  return `the compute capability of ${name} is ${capability.join('.')}; ${has}${note}`;
}

/** What the loader says; that a library is not there, in fewer words. */
function loaderError(text: string): string {
  return text.replace(/: cannot open shared object file: No such file or directory$/, ' is not there');
}

/** CUDA's name of a version: 12040 is 12.4. */
function cudaName(version: number): string {
  return `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
}

/**
 * The GPU of a search that is to be used: the one asked for by its number, otherwise the first that TensorFlow can use.
 * Throws a UserError (usage) for a number that is not there.
 */
export function pickGpu(search: GpuSearch, asked?: number): Gpu | NoGpu {
  if (!('gpus' in search)) return search;
  const { gpus } = search;
  if (asked === undefined) return gpus.find((gpu) => 'visibleDevice' in gpu) ?? gpus[0]!;
  const gpu = gpus[asked];
  if (gpu) return gpu;
  throw new UserError(
    'usage',
    `there is no GPU ${asked}: this machine has ${gpus.length}`,
    `Give --gpu a number from 0 to ${gpus.length - 1}; densenet doctor lists them.`,
  );
}
