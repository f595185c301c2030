import { CommanderError } from 'commander';
import { EXIT, UserError } from '../util/errors.js';
import { printable } from '../util/printable.js';
import { handleSignals } from './interrupt.js';
import { machineFailure } from './machine-failure.js';
import { printError } from './print.js';
import { program } from './program.js';
import { watchStreams } from './streams.js';

/** Runs the program and returns its exit code, once all that it prints has been written. */
export async function main(argv: readonly string[]): Promise<number> {
  handleSignals();
  const settle = watchStreams();
  return settle(await exitCode(argv));
}

/** Bugs show their stack; what a person can fix is two lines. */
async function exitCode(argv: readonly string[]): Promise<number> {
  try {
    await (await program(argv[0])).parseAsync(argv as string[], { from: 'user' });
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof Error && error.name === 'AbortError') {
      process.stderr.write('Stopped before training began. No run was changed.\n');
      return Number(process.exitCode ?? EXIT.interrupted);
    }
    const known = error instanceof UserError ? error : machineFailure(error);
    if (known) {
      printError(known);
      return known.exitCode;
    }
    process.stderr.write(`${printable(error instanceof Error ? `${error.stack}` : String(error))}\n`);
    process.stderr.write(
      'This is a bug in densenet. Please open an issue with the lines above where you got the program.\n',
    );
    return 1;
  }
}
