import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { READ_AT_ONCE } from '../util/read-files.js';

/** The whole lines among the last `bytes` of a file; none where it cannot be read. */
export function lastLines(path: string, bytes: number): string[] {
  try {
    const file = openSync(path, READ_AT_ONCE);
    try {
      const stats = fstatSync(file);
      if (!stats.isFile()) return [];
      const start = Math.max(0, stats.size - bytes);
      const buffer = Buffer.alloc(stats.size - start);
      const text = buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, start));
      const lines = text
        .slice(0, text.lastIndexOf('\n') + 1)
        .split('\n')
        .slice(0, -1);
      return start > 0 ? lines.slice(1) : lines;
    } finally {
      closeSync(file);
    }
  } catch {
    return [];
  }
}
