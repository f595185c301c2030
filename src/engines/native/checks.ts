import { dirname } from 'node:path';
import { findBuilt } from '../../util/addon/build.js';
import type { Check } from '../../util/check.js';
import { findCompiler } from '../../util/compiler.js';
import { silent } from '../../util/reporter.js';
import { NATIVE_ENGINE } from './addon.js';
import { loadNative } from './loader.js';

/** What the native engine needs on this machine. Nothing is built. */
export async function checks(): Promise<Check[]> {
  const compiler = await findCompiler();
  const built = await findBuilt(NATIVE_ENGINE, compiler);
  const remedy = 'Run `apt-get install g++`, or use --engine tensorflow.';
  const compilerCheck: Check =
    compiler === undefined
      ? { name: 'C++ compiler', ok: built !== undefined, found: 'none', remedy }
      : { name: 'C++ compiler', ok: true, found: compiler.version, remedy };
  return [compilerCheck, await builtCheck(built, compiler !== undefined, remedy)];
}

async function builtCheck(built: string | undefined, canBuild: boolean, remedy: string): Promise<Check> {
  const name = 'native engine';
  if (built === undefined)
    return { name, ok: canBuild, found: 'not built yet; built when first used', remedy };
  try {
    const { instructions, bfloat16Instructions } = await loadNative({ setup: false, reporter: silent });
    const bfloat16 = bfloat16Instructions ? ' and a bfloat16 dot product' : '';
    return { name, ok: true, found: `built, with ${instructions} vectors${bfloat16}` };
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return { name, ok: false, found, remedy: `Remove ${dirname(built)} to build it again.` };
  }
}
