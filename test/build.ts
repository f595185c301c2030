import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../src/util/package.js';

/** Compiles the program once before all tests: some start it, or its TensorFlow process, as a person would. */
export function setup(): void {
  execFileSync(process.execPath, [join(packageRoot, 'bin', 'build.mjs')], { stdio: 'inherit' });
}
