import { defineConfig } from 'vitest/config';

/** The everyday tests. What takes minutes is in `*.slow.ts`, see vitest.slow.config.ts. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/build.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 600_000,
  },
});
