import { closest } from 'fastest-levenshtein';

/** Ends a message about an unknown name: the nearest valid one first, then all of them. */
export function suggest(name: string, valid: readonly string[]): string {
  const nearest = valid.length > 0 ? `Did you mean '${closest(name, valid)}'? ` : '';
  return `${nearest}Valid: ${valid.join(', ')}.`;
}
