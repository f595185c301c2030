import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../util/cache.js';
import { diskError } from '../../util/disk-errors.js';
import { UserError } from '../../util/errors.js';
import { packageRoot } from '../../util/package.js';
import type { Reporter } from '../../util/reporter.js';
import { runTool, ToolError } from '../../util/run-tool.js';
import { makeWorkFolder } from '../../util/work-folder.js';

/** Pythons that peers run in; `onnx` has the runtimes of ONNX files. */
export type PeerEnvironment = 'pytorch' | 'keras' | 'onnx';

const PYTHON = join('bin', 'python');

/**
 * Makes a virtual environment of peers with what benchmarks/peers/NAME.txt pins, beside the compiled native
 * engine in the cache folder, unless it is there. Returns its Python. Throws a UserError (engine) if it cannot, or the
 * signal's reason.
 */
export async function ensurePeer(
  peer: PeerEnvironment,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<string> {
  const cache = cacheFolder('peers');
  const folder = join(cache, peer);
  const python = join(folder, PYTHON);
  if (existsSync(python)) return python;

  reporter.line(`Installing ${peer} in ${folder} (once, some minutes) …`);
  const requirements = join(packageRoot, 'benchmarks', 'peers', `${peer}.txt`);
  let fresh: string | undefined;
  try {
    fresh = await makeWorkFolder(cache);
    await runTool('python3', ['-m', 'venv', fresh], { signal });
    const install = ['-m', 'pip', 'install', '--quiet', '--requirement', requirements];
    await runTool(join(fresh, PYTHON), install, { signal });
    await rename(fresh, folder);
  } catch (error) {
    if (fresh) await rm(fresh, { recursive: true, force: true }).catch(() => {});
    // Another process was faster.
    if (existsSync(python)) return python;
    if (!(error instanceof ToolError)) {
      throw diskError(
        error,
        `cannot install ${peer} in ${cache}`,
        'set XDG_CACHE_HOME to another folder',
        'engine',
      );
    }
    throw new UserError(
      'engine',
      `cannot install ${peer}: ${error.lastComplaint.replace(/^ERROR: /, '')}`,
      `Install Python 3 with venv, see that pip can fetch packages, or give --${peer}-python an environment that has them.`,
      { cause: error },
    );
  }
  return python;
}
