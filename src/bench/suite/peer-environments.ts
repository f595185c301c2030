import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../util/cache.js';
import { UserError } from '../../util/errors.js';
import { makeFolders } from '../../util/files.js';
import { packageRoot } from '../../util/package.js';
import type { Reporter } from '../../util/reporter.js';
import { runTool, ToolError } from '../../util/run-tool.js';

/** Pythons that peers run in; `onnx` has the runtimes of ONNX files. */
export type PeerEnvironment = 'pytorch' | 'keras' | 'onnx';

/**
 * Makes a virtual environment of peers with what benchmarks/peers/NAME.txt pins, beside the compiled native
 * engine in the cache folder, unless it is there. Returns its Python. Throws a UserError (engine) if it cannot.
 */
export async function ensurePeer(peer: PeerEnvironment, reporter: Reporter): Promise<string> {
  const folder = join(cacheFolder('peers'), peer);
  const python = join('bin', 'python');
  if (existsSync(join(folder, python))) return join(folder, python);

  reporter.line(`Installing ${peer} in ${folder} (once, some minutes) …`);
  const fresh = `${folder}.${process.pid}`;
  const requirements = join(packageRoot, 'benchmarks', 'peers', `${peer}.txt`);
  try {
    await makeFolders(dirname(folder));
    await runTool('python3', ['-m', 'venv', fresh]);
    await runTool(join(fresh, python), ['-m', 'pip', 'install', '--quiet', '--requirement', requirements]);
    await rename(fresh, folder);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true }).catch(() => {});
    if (!(error instanceof ToolError)) throw error;
    throw new UserError(
      'engine',
      `cannot install ${peer}: ${error.lastComplaint.replace(/^ERROR: /, '')}`,
      `Install Python 3 with venv, see that pip can fetch packages, or give --${peer}-python an environment that has them.`,
      { cause: error },
    );
  }
  return join(folder, python);
}
