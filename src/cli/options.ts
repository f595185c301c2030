import { existsSync, statSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { ENGINE_NAMES } from '../engines/engine.js';
import type { EngineChoice, EngineRequest } from '../engines/select.js';
import { UserError } from '../util/errors.js';
import { reserveStandardOutput } from './print-stream.js';
import { positiveInteger, threadCount, wholeNumber } from './values.js';

/** Options that several commands share, each defined once. */

export interface TerminalOptions {
  /** Standard output carries one JSON document: news goes to standard error. */
  readonly json?: boolean;
  /** No news, no bars; warnings remain. */
  readonly quiet?: boolean;
}

export function addTerminalOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON document on standard output, everything else on standard error')
    .option('--quiet', 'print results and warnings only');
}

export interface WideOption {
  readonly wide?: boolean;
}

/** Of commands that print tables. */
export function wideOption(): Option {
  return new Option('--wide', 'print all columns of tables, even where the terminal is too narrow');
}

export interface FormatOptions extends WideOption {
  readonly json?: boolean;
  readonly format: 'text' | 'csv' | 'md';
}

export function addFormatOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--format <format>', 'text, or for other programs csv or md; see also --json')
        .choices(['text', 'csv', 'md'])
        .default('text')
        .conflicts('json'),
    )
    .addOption(wideOption());
}

export interface EngineCliOptions extends EngineRequest {
  readonly threads?: number;
  /** `--no-setup` makes it false. */
  readonly setup: boolean;
}

export function addEngineOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--engine <name>', 'what computes: the native engine (CPU), or TensorFlow')
        .choices(['auto', ...ENGINE_NAMES])
        .default('auto'),
    )
    .addOption(
      new Option(
        '--device <device>',
        'where to compute; gpu without a usable GPU is an error, never a fallback',
      )
        .choices(['auto', 'cpu', 'gpu'])
        .default('auto'),
    )
    .option('--gpu <n>', 'which GPU, as doctor numbers them (default: the first that is usable)', wholeNumber)
    .option('--threads <n>', 'CPU threads (default: all cores)', threadCount)
    .option('--no-setup', 'refuse to build or fetch what is missing');
}

export interface InputCliOptions {
  readonly workers?: number;
  readonly skipBadImages?: boolean;
}

export function workersOption(): Option {
  return new Option('--workers <n>', 'threads that decode photographs (default: all cores)').argParser(
    threadCount,
  );
}

/** Options of commands that read images. */
export function addInputOptions(command: Command): Command {
  return command.addOption(workersOption()).addOption(skipBadImagesOption());
}

export function skipBadImagesOption(): Option {
  return new Option('--skip-bad-images', 'leave out images that cannot be read, instead of stopping');
}

/** An option that may be given several times; its values are collected in order. */
export function repeated(flags: string, description: string): Option {
  return new Option(flags, `${description}; may be repeated`)
    .argParser((value: string, previous: readonly string[]) => [...previous, value])
    .default([], 'none');
}

export function setOption(): Option {
  return repeated('--set <path=value>', 'change one value of the config');
}

export function addConfigOptions(command: Command): Command {
  return command.option('--config <config>', CONFIG).addOption(setOption());
}

/** Which of a run's two checkpoints. */
export function checkpointOption(): Option {
  return new Option('--checkpoint <which>', 'which weights of the run')
    .choices(['last', 'best'])
    .default('last')
    .conflicts('weights');
}

export const DEFAULT_RESULTS = 'results';

export function resultsOption(): Option {
  return new Option('--results <dir>', 'folder of results').default(DEFAULT_RESULTS);
}

export function dataOption(): Option {
  return new Option('--data <dir>', 'folder of datasets (default: $DENSENET_DATA, or the cache folder)');
}

/** The file that a command writes. */
export function outputFileOption(description: string): Option {
  return fileOption('--output <file>', description);
}

/** Another file that it writes. */
export function fileOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(outputFile);
}

function outputFile(path: string): string {
  if (existsSync(path) && statSync(path).isDirectory()) {
    throw new InvalidArgumentError('It is a folder. Give a file; the folder of results is --results.');
  }
  return outputPath(path);
}

/** The file or folder that a command writes. */
export function outputPathOption(description: string): Option {
  return new Option('--output <path>', description).argParser(outputPath);
}

function outputPath(path: string): string {
  reserveStandardOutput(path);
  return path;
}

/** An option that has another name now, which its use is answered with. */
export function formerOption(flags: string, now: string): Option {
  const former = new Option(flags).hideHelp();
  return former.argParser(() => {
    throw new UserError('usage', `the option ${former.long} is called ${now} now`, `Write ${now} instead.`);
  });
}

/** An option of other programs that is answered with the `--set` that does it. */
export function settingOption(flags: string, key: string): Option {
  const option = new Option(flags).hideHelp();
  return option.argParser((value: string) => {
    throw new UserError(
      'usage',
      `there is no option ${option.long}: it is a value of the config, ${key}`,
      `Write --set ${key}=${value} instead.`,
    );
  });
}

/** `--output` of commands that print, which once meant the folder of results. */
export function formerOutputOption(): Option {
  return formerOption('--output <dir>', '--results');
}

export function subsetOption(
  description = 'use the first N training and the first N test images only',
): Option {
  return new Option('--subset <n>', description).argParser(positiveInteger);
}

/** What a command takes for a run, and for several. */
export const RUN = "a run: its folder, <experiment>/<run>, or an experiment's newest run";
export const RUNS = "runs: folders, <experiment>/<run>, or experiments' newest runs";

/** What a command takes for a config. */
export const CONFIG = 'a config file, or the bare name of one in configs/';

/** The first line of a command that computes: what on, and why. */
export function engineLine({ engine, device, reason }: EngineChoice): string {
  const name = engine === 'native' ? 'native' : 'TensorFlow';
  return `Engine: ${name} on the ${device.toUpperCase()} (${reason})`;
}

/** Names the images that were left out, if any were. */
export function skippedLines(names: readonly string[] = []): string[] {
  if (names.length === 0) return [];
  return [
    `Left out as unreadable: ${names.length} image${names.length === 1 ? '' : 's'}`,
    ...names.map((name) => `  ${name}`),
  ];
}
