import { Command, Option } from 'commander';
import { place } from '../mpi/place.js';
import { dismiss, followRun } from '../training/follow.js';
import { UserError } from '../util/errors.js';
import {
  addConfigOptions,
  addEngineOptions,
  addInputOptions,
  addTerminalOptions,
  CONFIG,
  dataOption,
  formerOutputOption,
  repeated,
  resultsOption,
  settingOption,
  subsetOption,
} from './options.js';
import { terminalReporter } from './terminal.js';
import { severalProcesses } from './together.js';
import { runOptions, STOPPING, type TrainCliOptions } from './train-options.js';
import { trainRun } from './train-run.js';
import { duration, positiveInteger, wholeNumber } from './values.js';

const EXAMPLES = `
Examples:
  densenet train --config quickstart
  densenet train --config cifar10plus-bc-100-12 --seed 2
  densenet train --config my.yaml --set training.epochs=40 --set network.growthRate=24
  densenet train --config cifar100-bc-100-12 --dry-run      what would happen, and how long it would take here
  densenet train --config svhn-40-12 --subset 1000          the first 1,000 images only
  densenet train --config my.yaml --init FILE.safetensors --init-skip classifier
                                                            fine-tune given weights with a new classifier
  densenet train --config my.yaml --set training.accumulate=4
                                                            each step by 4 micro-batches, in a quarter of the memory
  densenet train --resume cifar10plus-bc-100-12             resume the newest run of an experiment

The gradients of micro-batches are averaged: the step equals that of the whole batch, except for batch statistics,
dropout and stochastic depth, which each micro-batch has of its own.

The first Ctrl-C finishes the step, saves and stops; the second stops at once. A run can be resumed wherever it
stopped, and ends in the same bits. Exit code 75 means that it was saved at a limit or at a scheduler's warning
(SIGUSR1, SIGUSR2, SIGXCPU), and is to be resumed.`;

/** What other programs have options for, and here is a value of the config. */
const SETTINGS = [
  ['--epochs <n>', 'training.epochs'],
  ['--batch-size <n>', 'training.batchSize'],
  ['--lr <rate>', 'training.learningRate.initial'],
  ['--name <name>', 'name'],
] as const;

export function trainCommand(): Command {
  const command = new Command('train')
    .argument('[config]', CONFIG)
    .description('train a network, evaluate it after every epoch, and write the results')
    .addHelpText('after', EXAMPLES);
  addConfigOptions(command);
  command.addOption(resultsOption()).addOption(formerOutputOption()).addOption(dataOption());
  addInputOptions(command);
  addEngineOptions(command)
    .option('--seed <n>', 'seed of initial weights, order, augmentation and dropout', wholeNumber)
    .addOption(subsetOption())
    .option('--init <file>', 'start from these weights (.safetensors or .npz, see docs/weights.md)')
    .addOption(
      repeated(
        '--init-skip <name>',
        'with --init, do not load these parameters: a name, a prefix, or a pattern with *',
      ),
    )
    .option(
      '--resume <run>',
      "resume a run: its folder, <experiment>/<run>, or an experiment's newest that can be resumed",
    )
    .addOption(
      new Option(
        '--auto-resume',
        "start this config's run, resume it, or leave it alone if it is finished or running, whichever the results folder calls for",
      ).conflicts(['resume', 'init', 'dryRun']),
    )
    .option(
      '--take-over',
      'with --resume or --auto-resume: assume that the process training this run on another host is gone',
    )
    .option(
      '--max-time <time>',
      'save and stop within this time, such as 3h50m; in a Slurm job also before the job ends',
      duration,
    )
    .option('--max-steps <n>', 'save and stop after n steps', positiveInteger)
    .option('--log-every <n>', 'log the loss of every n-th step, also for TensorBoard', positiveInteger)
    .addOption(
      new Option(
        '--dry-run',
        'show what would happen, with time and memory from a short measurement; no data is fetched',
      ).conflicts('resume'),
    )
    .option('--no-measure', 'with --dry-run: compute nothing');
  for (const [flags, key] of SETTINGS) command.addOption(settingOption(flags, key));
  return addTerminalOptions(command).action(runTrain);
}

async function runTrain(config: string | undefined, given: TrainCliOptions): Promise<void> {
  const reporter = terminalReporter(given);
  const options = { ...given, config: oneConfig(config, given.config) };
  if (!options.measure && !options.dryRun) {
    throw new UserError('usage', '--no-measure has a meaning with --dry-run only', 'Leave it out.');
  }
  const here = place();
  if (here === undefined || options.dryRun) {
    if (!here || here.rank === 0) await trainRun(options, reporter);
    return;
  }
  const { setup } = options;
  await severalProcesses(here, { setup, reporter, notice: STOPPING }, async (crew, reporter) => {
    if (crew.group.rank > 0) return followRun(runOptions(options, crew, reporter), options.gpu);
    await trainRun({ ...options, crew }, reporter);
    await dismiss(crew.group);
  });
}

/** `train quickstart` is `train --config quickstart`. */
function oneConfig(argument: string | undefined, option: string | undefined): string | undefined {
  if (argument === undefined || option === undefined || argument === option) return argument ?? option;
  throw new UserError(
    'usage',
    `two configs are given: ${argument} and --config ${option}`,
    'Leave one of them out; to train both, use densenet sweep.',
  );
}
