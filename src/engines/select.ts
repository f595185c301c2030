import type { Network } from '../networks/network.js';
import { UserError } from '../util/errors.js';
import { checkCompile } from './compile.js';
import type { Engine, EngineName, EngineOptions, Gpu } from './engine.js';
import { checkBfloat16, checkPrecision } from './precision.js';
import { findGpus, type GpuSearch, pickGpu } from './tensorflow/gpu/find.js';

export interface EngineRequest {
  readonly engine: 'auto' | EngineName;
  readonly device: EngineOptions['device'];
  /** Number of the GPU, among those that the program sees; asks for the device 'gpu'. */
  readonly gpu?: number;
}

export interface EngineChoice {
  readonly engine: EngineName;
  readonly device: 'cpu' | 'gpu';
  /** With the device 'gpu': which. */
  readonly gpu?: Gpu;
  /** For people: why this one. */
  readonly reason: string;
}

/**
 * Decides engine and device; nothing is loaded or fetched yet. A GPU is used where TensorFlow can use one; otherwise
 * the native engine runs on the CPU. What was asked for is never replaced by something else. Throws a UserError:
 * usage for requests that contradict themselves, engine for a GPU that cannot be used.
 */
export async function chooseEngine(
  request: EngineRequest,
  search: () => Promise<GpuSearch> = findGpus,
): Promise<EngineChoice> {
  const { engine } = request;
  const device = request.device === 'auto' && request.gpu !== undefined ? 'gpu' : request.device;
  if (device === 'gpu' && engine === 'native') {
    throw new UserError(
      'usage',
      'the native engine runs on the CPU only',
      'Use --engine tensorflow --device gpu, or --engine native --device cpu.',
    );
  }
  if (device === 'cpu' && request.gpu !== undefined) {
    throw new UserError('usage', '--gpu and --device cpu contradict each other', 'Leave one of them out.');
  }
  if (engine === 'native') return { engine, device: 'cpu', reason: 'as asked' };
  if (device === 'cpu') {
    return engine === 'tensorflow'
      ? { engine, device, reason: 'as asked' }
      : { engine: 'native', device, reason: 'the faster engine on a CPU' };
  }
  const gpu = pickGpu(await search(), request.gpu);
  if ('visibleDevice' in gpu) return { engine: 'tensorflow', device: 'gpu', gpu, reason: gpu.name };
  if (device === 'gpu') {
    throw new UserError('engine', `a GPU was asked for, but ${gpu.missing}`, gpu.remedy);
  }
  return { engine: engine === 'auto' ? 'native' : engine, device: 'cpu', reason: `no GPU: ${gpu.missing}` };
}

/** What an engine is asked for beside its device. */
type Demands = Omit<EngineOptions, 'device' | 'gpu'>;

/**
 * Throws a UserError for what the chosen engine cannot do here, with this network if it is given. Fetches nothing;
 * compiles the native engine where only that tells what the processor can do.
 */
export async function checkEngine(choice: EngineChoice, demands: Demands, network?: Network): Promise<void> {
  const { precision = 'float32', compile } = demands;
  checkPrecision(precision, choice.device, choice.gpu);
  if (compile) checkCompile(choice.engine, network);
  if (choice.engine !== 'native') return;
  if (precision === 'bfloat16') checkBfloat16(await (await import('./native/loader.js')).loadNative(demands));
}

/** Loads the engine that was chosen, and only that one. Throws as `checkEngine`. */
export async function createEngine(choice: EngineChoice, demands: Demands): Promise<Engine> {
  await checkEngine(choice, demands);
  const complete = { ...demands, device: choice.device, gpu: choice.gpu };
  if (choice.engine === 'native') {
    const { createNativeEngine } = await import('./native/index.js');
    return createNativeEngine(complete);
  }
  const { createTensorFlowEngine } = await import('./tensorflow/index.js');
  return createTensorFlowEngine(complete);
}
