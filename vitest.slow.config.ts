import { defineConfig } from 'vitest/config';
import everyDay from './vitest.config.js';

/**
 * Tests that take minutes: the engines' conformance, more seeds, sanitizers, photographs, installation from nothing.
 */
export default defineConfig({ test: { ...everyDay.test, include: ['test/**/*.slow.ts'] } });
