import type { Command } from 'commander';
import { UserError } from '../util/errors.js';

/**
 * Throws a UserError (usage) where a person gave an option of the command above which this one does not use.
 * @param used by the names of their values
 */
export function refuseUnused(command: Command, used: readonly string[]): void {
  const above = command.parent!;
  const isGiven = (name: string) => above.getOptionValueSource(name) === 'cli';
  const unused = above.options.find(
    (option) => isGiven(option.attributeName()) && !used.includes(option.attributeName()),
  );
  if (!unused) return;
  const name = `${above.name()} ${command.name()}`;
  throw new UserError(
    'usage',
    `${unused.long} is not for ${name}`,
    `Leave it out; see densenet ${name} --help.`,
  );
}
