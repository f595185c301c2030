import type { Check } from '../../util/check.js';
import { findCompiler } from '../../util/compiler.js';
import { UserError } from '../../util/errors.js';
import { formatBytes } from '../../util/format.js';
import { silent } from '../../util/reporter.js';
import type { Gpu } from '../engine.js';
import { precisionInForce } from '../precision.js';
import type { GpuSearch } from './gpu/find.js';
import { createTensorFlowEngine } from './index.js';
import { findPip } from './library/pip.js';
import { findLibrary } from './library/setup.js';

/** What the TensorFlow engine needs on this machine, whatever it computes on. Nothing is fetched. */
export async function checks(): Promise<Check[]> {
  const pip = await findPip();
  const compiler = await findCompiler();
  // What set the library up need not stay.
  const isThere = (await findLibrary('cpu')) !== undefined;
  return [
    {
      name: 'pip',
      ok: isThere || pip !== undefined,
      found: pip?.version ?? 'none',
      remedy: 'Run: apt-get install python3-pip',
    },
    {
      name: 'C++ compiler',
      ok: isThere || compiler !== undefined,
      found: compiler?.version ?? 'none',
      remedy: 'Run: apt-get install g++',
    },
    await libraryCheck('cpu'),
  ];
}

/** The GPUs of this machine, and whether TensorFlow computes on the first that it can use. Nothing is fetched. */
export async function gpuChecks(search: GpuSearch): Promise<Check[]> {
  if (!('gpus' in search)) return [{ name: 'GPU', ok: false, found: search.missing, remedy: search.remedy }];
  const list: Check[] = search.gpus.map((gpu) =>
    'missing' in gpu
      ? { name: `GPU ${gpu.index}`, ok: false, found: gpu.missing, remedy: gpu.remedy }
      : { name: `GPU ${gpu.index}`, ok: true, found: describe(gpu) },
  );
  const first = search.gpus.find((gpu): gpu is Gpu => 'visibleDevice' in gpu);
  if (!first) return list;
  return [
    ...list,
    { name: 'precision', ok: true, found: precisionInForce('float32', 'gpu') },
    await libraryCheck('gpu', first),
  ];
}

function describe({ name, capability, memory, freeMemory }: Gpu): string {
  const free = freeMemory === undefined ? '' : ` (${formatBytes(freeMemory)} free)`;
  return `${name}, compute capability ${capability.join('.')}, ${formatBytes(memory)}${free}`;
}

/** Whether the library is there and loads; for a GPU, whether TensorFlow sees it. */
async function libraryCheck(device: 'cpu' | 'gpu', gpu?: Gpu): Promise<Check> {
  const name = device === 'cpu' ? 'library and binding' : 'library with CUDA';
  const remedy = `Run: densenet setup tensorflow --device ${device}`;
  try {
    if (!(await findLibrary(device))) {
      return { name, ok: false, found: 'not set up yet; set up when first used', remedy };
    }
    const engine = await createTensorFlowEngine({ device, gpu, setup: false, reporter: silent });
    await engine.dispose();
    return { name, ok: true, found: engine.description };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { name, ok: false, found: error.message, remedy: error.remedy };
  }
}
