import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { UserError } from '../errors.js';
import type { Addon } from './addon.js';
import { type BuildOptions, ensureBuilt } from './build.js';

/** Loads a compiled addon, building it first where it is missing. Throws a UserError (engine) if it cannot. */
export async function loadAddon<Binding>(addon: Addon, options: BuildOptions): Promise<Binding> {
  const path = await ensureBuilt(addon, options);
  try {
    return createRequire(import.meta.url)(path) as Binding;
  } catch (error) {
    throw new UserError(
      'engine',
      `${addon.title} was built but cannot be loaded: ${error instanceof Error ? error.message : error}`,
      `Remove ${dirname(path)} to build it again, or ${addon.otherwise}.`,
      { cause: error },
    );
  }
}
