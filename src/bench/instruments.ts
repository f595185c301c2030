import type { Engine, Model, ProfileEntry } from '../engines/engine.js';
import type { BuildOptions } from '../util/addon/build.js';
import { UserError } from '../util/errors.js';

/** Largest resident memory so far, in bytes: of this process, and of the engine's where it has its own. */
export async function peakMemory(engine: Engine): Promise<number> {
  return process.resourceUsage().maxRSS * 1024 + ((await engine.peakMemory?.()) ?? 0);
}

/** Time of every stage and pass since the last call. Throws a UserError (usage) for an engine without a profile. */
export function takeProfile(model: Model): ProfileEntry[] {
  if (model.profile) return model.profile();
  throw new UserError('usage', 'only the native engine can be profiled', 'Use --engine native.');
}

/**
 * The processor's single-precision multiply-add peak in FLOP/s; undefined where the native engine, whose code
 * measures it, cannot be built.
 */
export async function peakFlops(threads: number, options: BuildOptions): Promise<number | undefined> {
  const { measurePeak } = await import('../engines/native/index.js');
  try {
    return await measurePeak(threads, options);
  } catch (error) {
    if (error instanceof UserError && error.kind === 'engine') return undefined;
    throw error;
  }
}
