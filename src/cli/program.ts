import { Command } from 'commander';
import { packageVersion } from '../util/package.js';
import { printable } from '../util/printable.js';
import { addCompletion } from './complete.js';
import { didYouMean } from './did-you-mean.js';
import { checkValues } from './values.js';

const EXAMPLES = `
Examples:
  densenet train --config quickstart                  train a small DenseNet, about a minute on two cores
  densenet train --config cifar10plus-bc-100-12       DenseNet-BC (L=100, k=12) on C10+, as in Table 2
  densenet describe cifar10plus-bc-100-12             the network as the paper's Table 1 prints it
  densenet watch                                      a page that shows runs as they go
  densenet eval quickstart                            evaluate the newest run of an experiment
  densenet predict quickstart shoe.png                the likeliest classes of an image
  densenet table 2                                    the paper's test errors, and yours beside them
  densenet doctor                                     what this machine can do, and what is missing

Exit codes: 0 done, 2 usage or config, 3 data, 4 engine or device, 5 diverged, 75 saved but not finished: run it
again, 130 and 143 interrupted, 141 the reader of the output went away.`;

const VERSION = ['-V, --version', "print the program's version, and the engines' below it"] as const;

/**
 * Every command, in the order of the help; loaded when it is needed, since that takes longer than many a command runs.
 */
const COMMANDS: Record<string, () => Promise<Command>> = {
  train: async () => (await import('./train.js')).trainCommand(),
  eval: async () => (await import('./eval.js')).evalCommand(),
  predict: async () => (await import('./predict.js')).predictCommand(),
  export: async () => (await import('./export.js')).exportCommand(),
  describe: async () => (await import('./describe.js')).describeCommand(),
  sweep: async () => (await import('./sweep.js')).sweepCommand(),
  runs: async () => (await import('./runs.js')).runsCommand(),
  watch: async () => (await import('./watch.js')).watchCommand(),
  table: async () => (await import('./table.js')).tableCommand(),
  figure: async () => (await import('./figure.js')).figureCommand(),
  report: async () => (await import('./report.js')).reportCommand(),
  data: async () => (await import('./data.js')).dataCommand(),
  bench: async () => (await import('./bench.js')).benchCommand(),
  doctor: async () => (await import('./doctor.js')).doctorCommand(),
  selftest: async () => (await import('./selftest.js')).selftestCommand(),
  setup: async () => (await import('./setup.js')).setupCommand(),
};

/** The program with the command that is asked for, or with all where none of them is. */
export async function program(asked?: string): Promise<Command> {
  const asksVersion = asked !== undefined && /^(-V|--version)$/.test(asked);
  const root = new Command('densenet')
    .description(
      'Reproduce the benchmarks of "Densely Connected Convolutional Networks" (Huang et al., 2017).',
    )
    .version(asksVersion ? await versionText() : packageVersion, ...VERSION)
    .addHelpText('after', EXAMPLES)
    .showSuggestionAfterError();
  const known = asked !== undefined && Object.hasOwn(COMMANDS, asked) ? COMMANDS[asked] : undefined;
  const needed = known ? [known] : asksVersion ? [] : Object.values(COMMANDS);
  for (const load of needed) root.addCommand(await load());
  prepare(root);
  // Completion knows every command; what it is asked may be empty, which no other command takes.
  if (!known && !asksVersion) addCompletion(root);
  return root;
}

/** The first line is the program's version alone; the engines' follow. */
async function versionText(): Promise<string> {
  const { engineVersions } = await import('../engines/versions.js');
  return [packageVersion, ...(await engineVersions())].join('\n');
}

/** For every command: values are checked; commander throws instead of ending the process, and says what to do. */
function prepare(command: Command): void {
  checkValues(command);
  command
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(printable(didYouMean(text))) })
    .showHelpAfterError(`Run ${fullName(command)} --help for what it takes.`);
  command.commands.forEach(prepare);
}

/** `densenet data fetch` */
function fullName(command: Command): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();
}
