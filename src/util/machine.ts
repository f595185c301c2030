import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';

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

/** Bytes that this process may take more: what is free in the machine, or left of what a container may have. */
export function freeMemory(): number {
  return Math.min(freemem(), process.availableMemory() + cachedFiles());
}

/** Where a container says what its memory is used for: control groups, version 2 and 1. */
const STATISTICS = ['/sys/fs/cgroup/memory.stat', '/sys/fs/cgroup/memory/memory.stat'];

/** Bytes that a container's system keeps of files and gives away when they are asked for. */
function cachedFiles(): number {
  const path = STATISTICS.find((file) => existsSync(file));
  const [, bytes = 0] =
    /^(?:total_)?inactive_file (\d+)$/m.exec(path ? readFileSync(path, 'utf8') : '') ?? [];
  return Number(bytes);
}
