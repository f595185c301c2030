import { defineConfig } from 'vitest/config';

/** What a person sees in a browser; needs `chromium` on the PATH, or its path in CHROMIUM. */
export default defineConfig({
  test: {
    include: ['test/**/*.browser.ts'],
    globalSetup: ['test/build.ts'],
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 600_000,
  },
});
