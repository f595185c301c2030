import { findBuilt } from '../util/addon/build.js';
import type { Check } from '../util/check.js';
import { runTool } from '../util/run-tool.js';
import { findMpiCompiler, MPI } from './addon.js';

/** What one run on several processes needs. Nothing is built. */
export async function checks(): Promise<Check[]> {
  const compiler = await findMpiCompiler();
  const built = (await findBuilt(MPI, compiler)) !== undefined;
  const remedy = `${MPI.compiler.remedy}. One process needs none of it.`;
  const launcher = await mpirun();
  return [
    {
      name: 'MPI compiler',
      ok: compiler !== undefined || built,
      found: compiler
        ? `${compiler.command}: ${compiler.version}${built ? ', built' : ', not built yet; built when first used'}`
        : 'none',
      remedy,
    },
    {
      name: 'MPI launcher',
      ok: launcher !== undefined,
      found: launcher ?? 'no mpirun; srun of a Slurm cluster does as well',
      remedy: 'Run `apt-get install openmpi-bin`, or load the MPI module of the cluster.',
    },
  ];
}

/** The first line of `mpirun --version`. */
async function mpirun(): Promise<string | undefined> {
  try {
    return (await runTool('mpirun', ['--version'])).split('\n')[0]!.trim();
  } catch {
    return undefined;
  }
}
