import { defineConfig } from 'vitest/config';

/** TensorFlow's GPU code against a stub CUDA driver whose kernels do nothing; Linux on x86-64, needs gcc and nm. */
export default defineConfig({
  test: {
    include: ['test/**/*.gpu.ts'],
    globalSetup: ['test/gpu/setup.ts'],
    pool: 'forks',
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
