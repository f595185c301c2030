/** What to do where a network does not fit into memory. */
export const SMALLER =
  'Choose a smaller network or batch, or set training.accumulate or training.memoryEfficient.';

/** Whether it is TensorFlow's word for a memory that is full, mostly a GPU's; it can go on with less. */
export function isFullGpu(error: unknown): boolean {
  return String(error).includes('RESOURCE_EXHAUSTED');
}
