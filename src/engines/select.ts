import { existsSync } from 'node:fs';
import { UserError } from '../util/errors.js';
import type { Engine, EngineName, EngineOptions } from './engine.js';

export interface EngineRequest {
  readonly engine: 'auto' | EngineName;
  readonly device: EngineOptions['device'];
}

export interface EngineChoice {
  readonly engine: EngineName;
  readonly device: 'cpu' | 'gpu';
  /** For people: why this one. */
  readonly reason: string;
}

/** Whether the driver of an NVIDIA GPU is loaded (Linux and WSL 2). */
export function hasNvidiaDriver(): boolean {
  return existsSync('/proc/driver/nvidia/version') || existsSync('/dev/dxg');
}

/**
 * Decides engine and device; nothing is loaded yet. A GPU is used where there is one, by TensorFlow; without
 * one the native engine runs on the CPU. What was asked for is never replaced by something else.
 */
export function chooseEngine(request: EngineRequest, hasGpu: boolean = hasNvidiaDriver()): EngineChoice {
  const { engine, device } = request;
  if (device === 'gpu' && engine === 'native') {
    throw new UserError(
      'usage',
      'the native engine runs on the CPU only',
      'Use --engine tensorflow --device gpu, or --engine native --device cpu.',
    );
  }
  if (device === 'gpu' && !hasGpu) {
    throw new UserError(
      'engine',
      'a GPU was asked for, but no NVIDIA driver is loaded on this machine',
      'Install the driver (nvidia-smi must list the GPU), or use --device cpu.',
    );
  }
  if (engine === 'native') return { engine, device: 'cpu', reason: 'as asked' };
  if (engine === 'tensorflow') {
    if (device !== 'auto') return { engine, device, reason: 'as asked' };
    return hasGpu
      ? { engine, device: 'gpu', reason: 'engine as asked, and an NVIDIA GPU is here' }
      : { engine, device: 'cpu', reason: 'engine as asked, and no NVIDIA GPU was found' };
  }
  if (device === 'cpu') return { engine: 'native', device, reason: 'the faster engine on a CPU' };
  return device === 'gpu' || hasGpu
    ? { engine: 'tensorflow', device: 'gpu', reason: 'an NVIDIA GPU is here' }
    : { engine: 'native', device: 'cpu', reason: 'no NVIDIA GPU was found' };
}

/** Loads the engine that was chosen, and only that one. */
export async function createEngine(
  choice: EngineChoice,
  options: Omit<EngineOptions, 'device'>,
): Promise<Engine> {
  const complete = { ...options, device: choice.device };
  if (choice.engine === 'native') {
    const { createNativeEngine } = await import('./native/index.js');
    return createNativeEngine(complete);
  }
  const { createTensorFlowEngine } = await import('./tensorflow/index.js');
  return createTensorFlowEngine(complete);
}
