import type { BuildOptions } from '../../util/addon/build.js';
import { loadAddon } from '../../util/addon/load.js';
import { NATIVE_ENGINE } from './addon.js';
import type { NativeBinding } from './binding.js';

/** Loads the compiled engine, building it first where it is missing. Throws a UserError (engine) if it cannot. */
export function loadNative(options: BuildOptions): Promise<NativeBinding> {
  return loadAddon(NATIVE_ENGINE, options);
}
