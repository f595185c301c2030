import { EXIT } from '../util/errors.js';
import type { Reporter } from '../util/reporter.js';

/**
 * A signal that the first Ctrl-C (SIGINT) or SIGTERM aborts; the exit code is then 130 or 143. The second
 * ends the process at once.
 */
export function onInterrupt(reporter: Reporter): AbortSignal {
  const controller = new AbortController();
  const handle = (signal: NodeJS.Signals) => {
    process.exitCode = signal === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
    if (controller.signal.aborted) process.exit();
    reporter.warn(
      'stopping after this step; once more stops at once and loses the work since the last checkpoint',
    );
    controller.abort();
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return controller.signal;
}
