import { join } from 'node:path';
import { packageRoot } from '../../src/util/package.js';
import { type Running, startProcess } from '../program.js';

/** Starts the program on several processes, or on one without MPI; each by the `wrapper`, if there is one. */
export function startOn(
  processes: number,
  cwd: string,
  args: readonly string[],
  env: Record<string, string> = {},
  wrapper: readonly string[] = [],
): Running {
  const program = [...wrapper, process.execPath, join(packageRoot, 'bin', 'densenet'), ...args];
  if (processes === 1) return startProcess(cwd, program[0]!, program.slice(1), env);
  const options = ['--oversubscribe', '--bind-to', 'none', '-np', `${processes}`];
  // Open MPI runs for root only if told so.
  const root = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };
  return startProcess(cwd, 'mpirun', [...options, ...program], { ...root, ...env });
}
