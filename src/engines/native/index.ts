import { availableParallelism } from 'node:os';
import type { Network } from '../../networks/network.js';
import type { BuildOptions } from '../../util/addon/build.js';
import { UserError } from '../../util/errors.js';
import { silent } from '../../util/reporter.js';
import type { Engine, EngineOptions, ModelOptions, Precision } from '../engine.js';
import { checkBfloat16 } from '../precision.js';
import type { NativeBinding, NativeHandle } from './binding.js';
import { loadNative } from './loader.js';
import { NativeModel } from './model.js';

/** To be raised with every change of native/ that changes the bits of results. */
const KERNELS = 2;

/** The engine of native/, on the CPU. */
export class NativeEngine implements Engine {
  readonly name = 'native';
  readonly device = 'cpu';
  readonly kernels = KERNELS;
  readonly precision: Precision;
  readonly description: string;
  readonly #binding: NativeBinding;
  readonly #pool: NativeHandle;

  constructor(binding: NativeBinding, threads: number, precision: Precision = 'float32') {
    this.precision = precision;
    this.#binding = binding;
    this.#pool = binding.createPool(threads);
    this.description = `native engine on CPU (${binding.instructions}), ${threads} thread${threads === 1 ? '' : 's'}`;
  }

  /** Throws a UserError (engine) for bfloat16 where the processor has no dot product of it. */
  async createModel(network: Network, options: ModelOptions): Promise<NativeModel> {
    if (options.precision === 'bfloat16') checkBfloat16(this.#binding);
    return new NativeModel(this.#binding, this.#pool, network, options);
  }

  async dispose(): Promise<void> {
    this.#binding.releasePool(this.#pool);
  }
}

/**
 * Loads the native engine, compiling it first where that has not been done on this machine. All cores by
 * default; the results do not depend on the number of threads. Throws a UserError (engine) without a compiler.
 */
export async function createNativeEngine(options: EngineOptions): Promise<NativeEngine> {
  if (options.device === 'gpu') {
    throw new UserError(
      'engine',
      'the native engine runs on the CPU only',
      'Use --device cpu, or --engine tensorflow.',
    );
  }
  const threads = options.threads ?? availableParallelism();
  return new NativeEngine(await loadNative(options), threads, options.precision);
}

/** The machine's single-precision multiply-add peak on `threads` threads, in FLOP/s, whatever the engine. */
export async function measurePeak(
  threads: number,
  options: BuildOptions = { setup: true, reporter: silent },
): Promise<number> {
  const binding = await loadNative(options);
  return binding.measurePeak(threads);
}
