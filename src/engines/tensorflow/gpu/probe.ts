import { existsSync } from 'node:fs';
import { runTool, ToolError } from '../../../util/run-tool.js';

/** Where the Windows Subsystem for Linux keeps the libraries of the driver. */
const WSL_LIBRARIES = '/usr/lib/wsl/lib';

/** What the NVIDIA driver says of itself and of the GPUs that a process sees. */
export interface DriverReport {
  /** Why libcuda.so.1 does not load; null if it does. */
  readonly cuda: string | null;
  /** Why libnvidia-ml.so.1 does not load or start; null if it does. */
  readonly nvml: string | null;
  /** Of `cuInit`: 0 and no name if it went well. */
  readonly init: { readonly code: number; readonly name: string | null };
  /** The newest CUDA that the driver supports: 12.4 is 12040. */
  readonly cudaVersion: number;
  /** For people, such as 575.51.03; null without NVML. */
  readonly driverVersion: string | null;
  readonly gpus: readonly ReportedGpu[];
}

export interface ReportedGpu {
  readonly name: string;
  /** Compute capability: 8.6 is [8, 6]. */
  readonly capability: readonly [number, number];
  /** In bytes. */
  readonly memory: number;
  /** In bytes; null where NVML does not say. */
  readonly freeMemory: number | null;
}

/**
 * Asks the driver as TensorFlow does, through its C interface, in a process that may die of it. Python's ctypes makes
 * the calls: TensorFlow's set-up needs Python anyway. The numbers are those of CUdevice_attribute. NVML knows free
 * memory without a context on the GPU, which would take time and memory.
 */
const PROBE = `
import ctypes, json

def load(name):
    try:
        return ctypes.CDLL(name), None
    except OSError as error:
        return None, str(error)

def text(call, *arguments):
    buffer = ctypes.create_string_buffer(256)
    return buffer.value.decode(errors="replace") if call(buffer, 256, *arguments) == 0 else None

def number(call, *arguments):
    value = ctypes.c_int()
    call(ctypes.byref(value), *arguments)
    return value.value

def free_memory(bus):
    class Memory(ctypes.Structure):
        _fields_ = [(name, ctypes.c_ulonglong) for name in ("total", "free", "used")]
    handle, memory = ctypes.c_void_p(), Memory()
    if nvml_error or bus is None or nvml.nvmlDeviceGetHandleByPciBusId_v2(bus.encode(), ctypes.byref(handle)) != 0:
        return None
    return memory.free if nvml.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory)) == 0 else None

def gpu(device):
    memory = ctypes.c_size_t()
    cuda.cuDeviceTotalMem_v2(ctypes.byref(memory), device)
    return {
        "name": text(cuda.cuDeviceGetName, device),
        "capability": [number(cuda.cuDeviceGetAttribute, attribute, device) for attribute in (75, 76)],
        "memory": memory.value,
        "freeMemory": free_memory(text(cuda.cuDeviceGetPCIBusId, device)),
    }

cuda, cuda_error = load("libcuda.so.1")
nvml, nvml_error = load("libnvidia-ml.so.1")
code, name, version, gpus = 0, None, 0, []
if nvml:
    status = nvml.nvmlInit_v2()
    nvml_error = None if status == 0 else "nvmlInit failed with " + str(status)
if cuda:
    version = number(cuda.cuDriverGetVersion)
    code = cuda.cuInit(0)
    if code == 0:
        devices = [number(cuda.cuDeviceGet, index) for index in range(number(cuda.cuDeviceGetCount))]
        gpus = [gpu(device) for device in devices]
    else:
        pointer = ctypes.c_char_p()
        cuda.cuGetErrorName(code, ctypes.byref(pointer))
        name = (pointer.value or b"an unknown error").decode()
driver = None if nvml_error else text(nvml.nvmlSystemGetDriverVersion)
print(json.dumps({
    "cuda": cuda_error, "nvml": nvml_error, "init": {"code": code, "name": name},
    "cudaVersion": version, "driverVersion": driver, "gpus": gpus,
}))
`;

/** That the driver could not be asked, and why. */
export interface NoReport {
  readonly failure: string;
}

/** Milliseconds in which a driver must answer: one that hangs would keep the program from starting. */
const PATIENCE = 60_000;

/**
 * What the driver says, or undefined if there is no Python to ask it. Takes some tens of milliseconds, and a second or
 * two where a driver has to be woken up.
 */
export async function askDriver(): Promise<DriverReport | NoReport | undefined> {
  const env = { ...process.env, LD_LIBRARY_PATH: driverLibraryPath() };
  for (const python of ['python3', 'python']) {
    try {
      const signal = AbortSignal.timeout(PATIENCE);
      const answer = await runTool(python, ['-c', PROBE], { env, signal, killSignal: 'SIGKILL' });
      return JSON.parse(answer) as DriverReport;
    } catch (error) {
      const failure = failureOf(error as Error);
      if (failure !== undefined) return { failure };
    }
  }
  return undefined;
}

/** Why a Python that can make the calls failed at them; undefined where it cannot, or is not there. */
function failureOf(error: Error): string | undefined {
  if (error.name === 'TimeoutError') return `it did not answer within ${PATIENCE / 1000} s`;
  if (!(error instanceof ToolError)) return error.message;
  if (error.cause !== undefined) return undefined;
  return /^(ImportError|ModuleNotFoundError|SyntaxError)\b/m.test(error.said)
    ? undefined
    : error.lastComplaint;
}

/** LD_LIBRARY_PATH of a process that uses the driver: the present one, and after it where WSL has it. */
export function driverLibraryPath(): string {
  const wsl = existsSync(WSL_LIBRARIES) ? WSL_LIBRARIES : undefined;
  return [process.env.LD_LIBRARY_PATH, wsl].filter(Boolean).join(':');
}
