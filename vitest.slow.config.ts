import { defineConfig } from 'vitest/config';
import everyDay from './vitest.config.js';

/**
 * Tests that take minutes: more seeds, sanitizers, TensorFlow's conformance, photographs, installation from nothing.
 */
export default defineConfig({ test: { ...everyDay.test, include: ['test/**/*.slow.ts'] } });
