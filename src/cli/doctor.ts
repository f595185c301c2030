import { Command } from 'commander';
import { machineChecks } from '../doctor/checks.js';
import { EXIT } from '../util/errors.js';
import {
  addTerminalOptions,
  dataOption,
  formerOutputOption,
  resultsOption,
  type TerminalOptions,
} from './options.js';
import { print, printJson } from './print.js';

const EXAMPLES = `
Examples:
  densenet doctor
  densenet doctor --json

A dash marks what is missing, with what to do about it. Not all of it is needed: either engine trains alone.
The exit code is 4 if no engine can run.`;

interface DoctorOptions extends TerminalOptions {
  readonly results: string;
  readonly data?: string;
}

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description('report what this machine can do, what is missing, and what to do about it')
    .addOption(resultsOption())
    .addOption(formerOutputOption())
    .addOption(dataOption())
    .addHelpText('after', EXAMPLES);
  return addTerminalOptions(command).action(runDoctor);
}

async function runDoctor(options: DoctorOptions): Promise<void> {
  const { sections, usableEngines } = await machineChecks(options);
  if (options.json) printJson({ usableEngines, sections });
  else {
    for (const { title, checks } of sections) {
      print(title);
      for (const { name, ok, found, remedy } of checks) {
        print(`  ${ok ? '✓' : '–'} ${name.padEnd(22)} ${found}`);
        if (!ok && remedy) print(`      ${remedy}`);
      }
    }
    const engines = usableEngines.join(' and ') || 'none';
    print(['', `Engines that can run here: ${engines}`]);
  }
  if (usableEngines.length === 0) process.exitCode = EXIT.engine;
}
