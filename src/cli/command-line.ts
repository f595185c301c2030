import { accessSync, constants, realpathSync } from 'node:fs';
import { delimiter, join, relative, sep } from 'node:path';
import { shellWord } from '../util/shell.js';

/** A command that a person can paste into a shell here, to start this program again. */
export function commandLine(words: readonly string[]): string {
  return [...programWords(), ...words].map(shellWord).join(' ');
}

/** How the program is called here: by npx, by name where the shell finds it, or by its path. */
function programWords(): string[] {
  const { npm_lifecycle_event: event, npm_lifecycle_script: script = '' } = process.env;
  if (event === 'npx' && /^\W?densenet\b/.test(script)) return ['npx', 'densenet'];
  const program = realpathSync(process.argv[1]!);
  const onPath = (process.env.PATH ?? '')
    .split(delimiter)
    .some((folder) => isFile(join(folder, 'densenet'), program));
  if (onPath) return ['densenet'];
  const path = relative('', program);
  return [path.includes(sep) ? path : `.${sep}${path}`];
}

/** Whether the path leads to the program and may be run. */
function isFile(path: string, program: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return realpathSync(path) === program;
  } catch {
    return false;
  }
}
