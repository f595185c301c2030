import { availableParallelism, cpus, totalmem } from 'node:os';

/** The machine that the program runs on, as reports and run folders name it. */
export interface Machine {
  /** Model of the processor. */
  readonly cpu: string;
  /** Threads that this process may use at once. */
  readonly cores: number;
  readonly memoryBytes: number;
  /** `linux x64` */
  readonly platform: string;
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
  };
}

/** Bytes that this process may have: the machine's, or less where a container says so. */
export function usableMemory(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
