/** This process among those that a launcher started together. */
export interface Place {
  readonly rank: number;
  readonly size: number;
  /** Its number among those of its host; undefined where the launcher does not say. */
  readonly localRank: number | undefined;
}

/** What Open MPI's mpirun, MPICH's and Slurm's srun tell each process: size, rank, rank on its host. */
const LAUNCHERS = [
  ['OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_LOCAL_RANK'],
  ['PMI_SIZE', 'PMI_RANK', 'MPI_LOCALRANKID'],
  // Those of a step: the script of a batch job knows its number of tasks too, and is none of them.
  ['SLURM_STEP_NUM_TASKS', 'SLURM_PROCID', 'SLURM_LOCALID'],
] as const;

/** Where the environment says that this process is one of several; undefined if it is alone. Nothing is loaded. */
export function place(environment: NodeJS.ProcessEnv = process.env): Place | undefined {
  for (const names of LAUNCHERS) {
    const [size, rank, localRank] = names.map((name) => number(environment[name]));
    if (size !== undefined && rank !== undefined) return size > 1 ? { size, rank, localRank } : undefined;
  }
  return undefined;
}

function number(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
