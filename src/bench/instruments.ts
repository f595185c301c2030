import type { Engine, Model } from '../engines/engine.js';
import type { BuildOptions } from '../engines/native/build.js';
import type { ProfileEntry } from '../engines/native/model.js';
import { UserError } from '../util/errors.js';

/** What a benchmark asks of an engine beyond the contract. Only the engine in use is loaded. */

/** Largest resident memory so far, in bytes: of this process, and of TensorFlow's where that has its own. */
export async function peakMemory(engine: Engine): Promise<number> {
  const own = process.resourceUsage().maxRSS * 1024;
  if (engine.name !== 'tensorflow') return own;
  const { TensorFlowEngine } = await import('../engines/tensorflow/engine.js');
  return engine instanceof TensorFlowEngine ? own + (await engine.status()).peakMemory : own;
}

/** Time of every stage and pass since the last call. Throws a UserError (usage) for an engine without a profile. */
export async function takeProfile(model: Model): Promise<ProfileEntry[]> {
  const { NativeModel } = await import('../engines/native/model.js');
  if (model instanceof NativeModel) return model.profile();
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
