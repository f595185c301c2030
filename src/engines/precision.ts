import { UserError } from '../util/errors.js';
import type { Gpu, Precision } from './engine.js';

/** The first compute capability (Ampere) that multiplies tf32 and bfloat16. */
const FIRST_CAPABILITY = 8;

/** Throws a UserError if a device does not have the precision; that an engine lacks it is the engine's to say. */
export function checkPrecision(precision: Precision, device: 'cpu' | 'gpu', gpu?: Gpu): void {
  const remedy = "Set training.precision to 'float32'";
  if (precision === 'tf32' && device === 'cpu') {
    throw new UserError('usage', 'tf32 is a precision of NVIDIA GPUs; CPUs do not have it', `${remedy}.`);
  }
  if (precision !== 'float32' && gpu && gpu.capability[0] < FIRST_CAPABILITY) {
    throw new UserError(
      'engine',
      `${precision} needs a GPU of compute capability ${FIRST_CAPABILITY}.0 or later; ${gpu.name} has ${gpu.capability.join('.')}`,
      `${remedy}, or choose another GPU with --gpu.`,
    );
  }
}

/** For people and environment.json: what convolutions really multiply. */
export function precisionInForce(precision: Precision, device: 'cpu' | 'gpu'): string {
  return device === 'gpu' && precision !== 'tf32' ? `${precision}, with TF32 switched off` : precision;
}
