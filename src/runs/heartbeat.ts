import { lutimes } from 'node:fs/promises';

/** Milliseconds between two signs of life. */
const INTERVAL = 30_000;

/**
 * Touches a file, or a link itself, until the function that is returned is called: so processes of other hosts, which
 * cannot see this one, know by the file's age that it lives.
 */
export function heartbeat(path: string): () => void {
  const touch = () => {
    const now = new Date();
    // It may be gone, or be replaced in this moment.
    lutimes(path, now, now).catch(() => {});
  };
  const timer = setInterval(touch, INTERVAL).unref();
  return () => clearInterval(timer);
}
