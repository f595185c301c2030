import { Command, CommanderError } from 'commander';
import { EXIT, UserError } from '../util/errors.js';
import { packageVersion } from '../util/package.js';
import { benchCommand } from './bench.js';
import { dataCommand } from './data.js';
import { describeCommand } from './describe.js';
import { doctorCommand } from './doctor.js';
import { evalCommand } from './eval.js';
import { exportCommand } from './export.js';
import { figureCommand } from './figure.js';
import { reportCommand } from './report.js';
import { runsCommand } from './runs.js';
import { setupCommand } from './setup.js';
import { sweepCommand } from './sweep.js';
import { tableCommand } from './tables.js';
import { trainCommand } from './train.js';

const EXAMPLES = `
Examples:
  densenet train --config quickstart                  train a small DenseNet on real images in two minutes
  densenet train --config cifar10plus-bc-100-12       DenseNet-BC (L=100, k=12) on C10+, as in Table 2
  densenet describe cifar10plus-bc-100-12             the network as the paper's Table 1 prints it
  densenet eval quickstart                            evaluate the newest run of an experiment
  densenet table 2                                    the paper's test errors, and yours beside them
  densenet doctor                                     what this machine can do, and what is missing

Exit codes: 0 done, 2 usage or config, 3 data, 4 engine or device, 5 diverged, 130 and 143 interrupted.`;

function program(): Command {
  const root = new Command('densenet')
    .description(
      'Reproduce the benchmarks of "Densely Connected Convolutional Networks" (Huang et al., 2017).',
    )
    .version(packageVersion)
    .addHelpText('after', EXAMPLES)
    .showSuggestionAfterError();
  for (const command of [
    trainCommand(),
    evalCommand(),
    exportCommand(),
    describeCommand(),
    sweepCommand(),
    runsCommand(),
    tableCommand(),
    figureCommand(),
    reportCommand(),
    dataCommand(),
    benchCommand(),
    doctorCommand(),
    setupCommand(),
  ]) {
    root.addCommand(command);
  }
  throwOnExit(root);
  return root;
}

/** For every command: commander throws instead of ending the process, and its errors say what to do. */
function throwOnExit(command: Command): void {
  command.exitOverride().showHelpAfterError(`Run ${fullName(command)} --help for what it takes.`);
  command.commands.forEach(throwOnExit);
}

/** `densenet data fetch` */
function fullName(command: Command): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();
}

/** Runs the program and returns its exit code. Bugs show their stack; what a person can mend is two lines. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    await program().parseAsync(argv as string[], { from: 'user' });
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof Error && error.name === 'AbortError') {
      process.stderr.write('Stopped before the run began; nothing to resume.\n');
      return Number(process.exitCode ?? EXIT.interrupted);
    }
    if (error instanceof UserError) {
      process.stderr.write(`error: ${error.message}\n${error.remedy}\n`);
      return error.exitCode;
    }
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.stderr.write('This is a bug in densenet. Please report it with the lines above.\n');
    return 1;
  }
}
