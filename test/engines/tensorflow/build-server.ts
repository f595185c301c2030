import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Tests run from source, but the TensorFlow process is started by Node alone: compiles its code before them. */
export function setup(): void {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const compiler = createRequire(import.meta.url)
    .resolve('typescript/package.json')
    .replace('package.json', 'bin/tsc');
  execFileSync(process.execPath, [compiler, '-p', 'test/engines/tensorflow/tsconfig.server.json'], {
    cwd: root,
    stdio: 'inherit',
  });
}
