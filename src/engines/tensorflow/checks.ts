import type { Check } from '../../util/check.js';
import { findCompiler } from '../../util/compiler.js';
import { UserError } from '../../util/errors.js';
import { silent } from '../../util/reporter.js';
import { createTensorFlowEngine } from './index.js';
import { findPip } from './library/pip.js';
import { findLibrary } from './library/setup.js';

/** What the TensorFlow engine needs on this machine. Nothing is fetched. */
export async function checks(gpu: boolean): Promise<Check[]> {
  const pip = await findPip();
  const compiler = await findCompiler();
  const list: Check[] = [
    {
      name: 'pip',
      ok: pip !== undefined,
      found: pip?.version ?? 'none',
      remedy: 'Run: apt-get install python3-pip',
    },
    {
      name: 'C++ compiler',
      ok: compiler !== undefined,
      found: compiler?.version ?? 'none',
      remedy: 'Run: apt-get install g++',
    },
    await libraryCheck('cpu'),
  ];
  if (!gpu) return [...list, { name: 'GPU', ok: true, found: 'none; the CPU is used' }];
  return [...list, await libraryCheck('gpu')];
}

/** Whether the library is there and loads; for a GPU, whether TensorFlow sees it. */
async function libraryCheck(device: 'cpu' | 'gpu'): Promise<Check> {
  const name = device === 'cpu' ? 'library and binding' : 'GPU';
  const remedy = `Run: densenet setup tensorflow --device ${device}`;
  try {
    if (!(await findLibrary(device))) {
      return { name, ok: false, found: 'not set up yet; set up when first used', remedy };
    }
    const engine = await createTensorFlowEngine({ device, setup: false, reporter: silent });
    await engine.dispose();
    return { name, ok: true, found: engine.description };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { name, ok: false, found: error.message, remedy: error.remedy };
  }
}
