import { type Command, InvalidArgumentError } from 'commander';
import { atHome } from '../util/home.js';
import { suggest } from '../util/suggest.js';

/** How values on the command line are read. What cannot be meant is refused; commander names the option. */

/**
 * For every option and argument of a command, before it is read further: an empty value is refused, and `~/` is the
 * home folder, also where a shell leaves it as it is (`--data=~/x`).
 */
export function checkValues(command: Command): void {
  const valued = command.options.filter(({ required, optional }) => required || optional);
  for (const target of [...valued, ...command.registeredArguments]) {
    const { parseArg, variadic } = target;
    target.argParser((text: string, previous: unknown) => {
      if (text === '') throw new InvalidArgumentError('It is empty.');
      const value = atHome(text);
      if (parseArg) return parseArg(value, previous);
      return variadic ? [...((previous as string[] | undefined) ?? []), value] : value;
    });
  }
}

export function positiveInteger(text: string): number {
  return integer(text, 1);
}

export function wholeNumber(text: string): number {
  return integer(text, 0);
}

/** From 1 to `most`. */
export function countUpTo(most: number): (text: string) => number {
  return (text) => integer(text, 1, most);
}

/** More threads, or runs at a time, than any machine has cores for are refused. */
export const threadCount = countUpTo(1024);

const DURATION = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/;

/** `3h50m`, `1d12h`, `90s` → seconds. */
export function duration(text: string): number {
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = (DURATION.exec(text) ?? [])
    .slice(1)
    .map((n) => Number(n ?? 0));
  const total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
  if (total > 0 && Number.isSafeInteger(total)) return total;
  throw new InvalidArgumentError('Give days, hours, minutes or seconds, such as 3h50m, 2d or 90s.');
}

/** Values separated by commas. */
export function list(text: string): string[] {
  const values = text.split(',').map(atHome);
  if (values.includes('')) throw new InvalidArgumentError('One of the values is empty.');
  return values;
}

/** Values separated by commas, each one of those that are valid. */
export function names<Name extends string>(text: string, valid: readonly Name[]): Name[] {
  return list(text).map((name) => {
    const found = valid.find((candidate) => candidate === name);
    if (found === undefined) throw new InvalidArgumentError(`There is no '${name}'. ${suggest(name, valid)}`);
    return found;
  });
}

/** Digits only: `1e9`, `0x10` and ` 1` are not what a person types for a number of things. */
function integer(text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  const limit = most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`;
  throw new InvalidArgumentError(`Give a whole number from ${least}${limit}.`);
}
