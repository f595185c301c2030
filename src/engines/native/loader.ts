import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { UserError } from '../../util/errors.js';
import type { NativeBinding } from './binding.js';
import { type BuildOptions, ensureBuilt } from './build.js';

/** Loads the compiled engine, building it first where it is missing. Throws a UserError (engine) if it cannot. */
export async function loadNative(options: BuildOptions): Promise<NativeBinding> {
  const path = await ensureBuilt(options);
  try {
    return createRequire(import.meta.url)(path) as NativeBinding;
  } catch (error) {
    throw new UserError(
      'engine',
      `the native engine was built but cannot be loaded: ${error instanceof Error ? error.message : error}`,
      `Remove ${dirname(path)} to build it again, or use --engine tensorflow.`,
      { cause: error },
    );
  }
}
