import { suggest } from '../util/suggest.js';

/**
 * What commander says of a name that it does not know, as the rest of the program says it: what is wrong in one line;
 * the next names the nearest valid one, and goes on with how to get help.
 */
export function didYouMean(text: string): string {
  return text
    .replace(/\n\(Did you mean (?:one of )?(.*)\?\)\n$/, (_, names: string) => {
      const near = names.split(', ').map((name) => `'${name}'`);
      return `\nDid you mean ${near.join(' or ')}? `;
    })
    .replace(
      / '([^']*)' is invalid(.*)\. Allowed choices are (.*)\.\n$/,
      (_, value: string, of: string, all: string) => {
        return ` '${value}' is invalid${of}\n${suggest(value, all.split(', '))} `;
      },
    );
}
