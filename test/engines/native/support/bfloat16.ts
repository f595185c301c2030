import { availableParallelism } from 'node:os';
import { loadNative } from '../../../../src/engines/native/loader.js';
import { NativeModel } from '../../../../src/engines/native/model.js';
import { silent } from '../../../../src/util/reporter.js';
import type { TestedEngine } from '../../conformance/models.js';

/** The native engine's models in bfloat16, also where the engine refuses them because they are slow. */
export async function createBfloat16Engine(threads = availableParallelism()): Promise<TestedEngine> {
  const binding = await loadNative({ setup: true, reporter: silent });
  const pool = binding.createPool(threads);
  return {
    createModel: async (network, options) =>
      new NativeModel(binding, pool, network, { ...options, precision: 'bfloat16' }),
    dispose: async () => binding.releasePool(pool),
  };
}
