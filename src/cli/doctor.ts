import { Command } from 'commander';
import { machineChecks } from '../doctor/checks.js';
import { EXIT } from '../util/errors.js';
import {
  addCommonOptions,
  type CommonOptions,
  dataOption,
  formerOutputOption,
  printJson,
  resultsOption,
} from './options.js';

const EXAMPLES = `
Examples:
  densenet doctor
  densenet doctor --json

A dash marks what is missing, with what to do about it. Not all of it is needed: either engine trains alone.
The exit code is 4 if no engine can run.`;

interface DoctorOptions extends CommonOptions {
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
  return addCommonOptions(command).action(runDoctor);
}

async function runDoctor(options: DoctorOptions): Promise<void> {
  const { sections, usableEngines } = await machineChecks(options);
  if (options.json) printJson({ usableEngines, sections });
  else {
    for (const { title, checks } of sections) {
      process.stdout.write(`${title}\n`);
      for (const { name, ok, found, remedy } of checks) {
        process.stdout.write(`  ${ok ? '✓' : '–'} ${name.padEnd(22)} ${found}\n`);
        if (!ok && remedy) process.stdout.write(`      ${remedy}\n`);
      }
    }
    const engines = usableEngines.join(' and ') || 'none';
    process.stdout.write(`\nEngines that can run here: ${engines}\n`);
  }
  if (usableEngines.length === 0) process.exitCode = EXIT.engine;
}
