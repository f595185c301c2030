import type { Addon } from '../util/addon/addon.js';
import type { Compiler } from '../util/compiler.js';
import { atHome } from '../util/home.js';
import { runTool } from '../util/run-tool.js';

/** The C++ of mpi/. */
export const MPI: Addon = {
  title: 'the MPI part',
  cache: 'mpi',
  library: 'mpi.node',
  sources: 'mpi',
  headers: ['native/node_binding.h'],
  compiler: {
    name: "MPI's compiler, mpicxx",
    variable: 'MPICXX',
    remedy: 'Run `apt-get install libopenmpi-dev g++`, load the MPI module of the cluster, set MPICXX',
  },
  findCompiler: findMpiCompiler,
  otherwise: 'start one process',
};

/** MPI's C++ compiler: the first of $MPICXX, mpicxx and mpic++ that runs; undefined if none does. */
export async function findMpiCompiler(
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Compiler | undefined> {
  for (const command of [atHome(environment.MPICXX ?? ''), 'mpicxx', 'mpic++']) {
    if (!command) continue;
    try {
      const version = await runTool(command, ['--version'], { env: environment });
      // What it calls, with the folders of its MPI: a build for another MPI is another build.
      const calls = await runTool(command, ['-show'], { env: environment });
      return { command, version: version.split('\n')[0]!.trim(), calls };
    } catch {
      // Not this one.
    }
  }
  return undefined;
}
