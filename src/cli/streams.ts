import { diskProblem } from '../util/disk-errors.js';
import { EXIT, UserError } from '../util/errors.js';
import { printError } from './print.js';

/**
 * From here on, a standard output that cannot be written does not end the program. What it returns waits until all is
 * written, and makes an exit code of 0 say so where it was not: 141 if the reader went away, as a shell has it, else 3.
 */
export function watchStreams(): (code: number) => Promise<number> {
  let failure: NodeJS.ErrnoException | undefined;
  process.stdout.on('error', (error) => {
    failure ??= error;
  });
  // Where standard error is gone, there is nobody to tell.
  process.stderr.on('error', () => {});
  return async (code) => {
    await written(process.stdout);
    const lost = code === EXIT.ok && failure !== undefined;
    if (lost && failure!.code !== 'EPIPE') printError(cannotPrint(failure!));
    await written(process.stderr);
    if (!lost) return code;
    return failure!.code === 'EPIPE' ? EXIT.readerGone : EXIT.data;
  };
}

function cannotPrint(error: NodeJS.ErrnoException): UserError {
  const problem = `standard output could not be written: ${diskProblem(error)?.words ?? error.message}`;
  return new UserError('data', problem, 'Run it again with the output going elsewhere.');
}

/** Resolves when everything so far has been written, or could not be. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
