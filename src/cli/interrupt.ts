import { EXIT } from '../util/errors.js';
import type { Reporter } from '../util/reporter.js';

/**
 * A signal that the first Ctrl-C (SIGINT), SIGTERM or hang-up (SIGHUP) aborts; the exit code is then 130, or 143. The
 * second ends the process at once.
 */
export function onInterrupt(reporter: Reporter): AbortSignal {
  const controller = new AbortController();
  const handle = (signal: NodeJS.Signals) => {
    process.exitCode = signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
    if (controller.signal.aborted) process.exit();
    reporter.warn(
      'stopping after this step; once more stops at once and loses the work since the last checkpoint',
    );
    controller.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, handle);
  return controller.signal;
}
