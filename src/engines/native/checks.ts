import type { Check } from '../../util/check.js';
import { findCompiler } from '../../util/compiler.js';
import { silent } from '../../util/reporter.js';
import { findBuilt } from './build.js';
import { loadNative } from './loader.js';

/** What the native engine needs on this machine. Nothing is built. */
export async function checks(): Promise<Check[]> {
  const compiler = await findCompiler();
  const built = await findBuilt(compiler);
  const list: Check[] = [
    compiler !== undefined
      ? { name: 'C++ compiler', ok: true, found: compiler.version }
      : {
          name: 'C++ compiler',
          ok: built !== undefined,
          found: 'none',
          remedy: 'Run `apt-get install g++`, or use --engine tensorflow.',
        },
  ];
  if (built === undefined) {
    const found = 'not built yet; built when first used';
    return [...list, { name: 'native engine', ok: compiler !== undefined, found, remedy: list[0]!.remedy! }];
  }
  try {
    const { instructions } = await loadNative({ setup: false, reporter: silent });
    return [...list, { name: 'native engine', ok: true, found: `built, with ${instructions} vectors` }];
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return [...list, { name: 'native engine', ok: false, found, remedy: `Remove ${built}.` }];
  }
}
