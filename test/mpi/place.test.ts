import { expect, test } from 'vitest';
import { place } from '../../src/mpi/place.js';

test.each([
  ['alone', {}, undefined],
  [
    'mpirun of Open MPI',
    { OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_RANK: '3', OMPI_COMM_WORLD_LOCAL_RANK: '1' },
    { size: 4, rank: 3, localRank: 1 },
  ],
  [
    'mpirun of MPICH',
    { PMI_SIZE: '2', PMI_RANK: '0', MPI_LOCALRANKID: '0' },
    { size: 2, rank: 0, localRank: 0 },
  ],
  [
    'MPICH without a local rank',
    { PMI_SIZE: '2', PMI_RANK: '1' },
    { size: 2, rank: 1, localRank: undefined },
  ],
  [
    'a step of Slurm',
    { SLURM_STEP_NUM_TASKS: '8', SLURM_PROCID: '5', SLURM_LOCALID: '1', SLURM_NTASKS: '8' },
    { size: 8, rank: 5, localRank: 1 },
  ],
  ['the script of a Slurm job with several tasks', { SLURM_NTASKS: '8', SLURM_PROCID: '0' }, undefined],
  ['mpirun with one process', { OMPI_COMM_WORLD_SIZE: '1', OMPI_COMM_WORLD_RANK: '0' }, undefined],
  [
    'mpirun inside a step of Slurm',
    {
      OMPI_COMM_WORLD_SIZE: '2',
      OMPI_COMM_WORLD_RANK: '1',
      OMPI_COMM_WORLD_LOCAL_RANK: '0',
      SLURM_STEP_NUM_TASKS: '1',
      SLURM_PROCID: '0',
    },
    { size: 2, rank: 1, localRank: 0 },
  ],
  ['no number', { PMI_SIZE: 'four', PMI_RANK: '0' }, undefined],
])('%s', (_, environment, expected) => {
  expect(place(environment)).toEqual(expected);
});
