import { EXIT } from '../util/errors.js';
import type { Reporter } from '../util/reporter.js';

export interface Interrupt {
  /** Aborted by the first SIGINT (Ctrl-C) or SIGTERM. */
  readonly signal: AbortSignal;
  /** 130 after SIGINT, 143 after SIGTERM. */
  exitCode(): number;
}

/** The first signal asks to stop, the second ends the process at once. */
export function onInterrupt(reporter: Reporter): Interrupt {
  const controller = new AbortController();
  let code: number = EXIT.interrupted;
  const handle = (signal: NodeJS.Signals) => {
    code = signal === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
    if (controller.signal.aborted) process.exit(code);
    reporter.warn(
      'stopping after this step; once more stops at once and loses the work since the last checkpoint',
    );
    controller.abort();
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return { signal: controller.signal, exitCode: () => code };
}
