import { UserError } from '../util/errors.js';
import type { Gpu, Precision } from './engine.js';
import type { NativeBinding } from './native/binding.js';

/** The first compute capability (Ampere) that multiplies tf32 and bfloat16. */
const FIRST_CAPABILITY = 8;

/** Throws a UserError if a device does not have the precision. */
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

/** Throws a UserError (engine) where the processor has no bfloat16 dot product, for the native engine. */
export function checkBfloat16({ instructions, bfloat16Instructions }: NativeBinding): void {
  if (bfloat16Instructions) return;
  throw new UserError(
    'engine',
    `bfloat16 would be slower than float32 here: the processor (${instructions}) has no bfloat16 dot product`,
    'Use precision float32.',
  );
}

/** For people and environment.json: what convolutions really multiply. */
export function precisionInForce(precision: Precision, device: 'cpu' | 'gpu'): string {
  return device === 'gpu' && precision !== 'tf32' ? `${precision}, with TF32 switched off` : precision;
}
