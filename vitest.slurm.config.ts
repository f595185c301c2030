import { defineConfig } from 'vitest/config';

/** Sweeps on a real Slurm, started on this host; Linux, as root, needs the commands of Debian's slurm-wlm and munge. */
export default defineConfig({
  test: {
    include: ['test/**/*.slurm.ts'],
    globalSetup: ['test/build.ts'],
    pool: 'forks',
    testTimeout: 600_000,
    hookTimeout: 60_000,
  },
});
