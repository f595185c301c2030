import { closest, distance } from 'fastest-levenshtein';

/**
 * Ends a message about an unknown name: the nearest valid one first, if any is near, then all of them, or the last
 * `most`.
 */
export function suggest(name: string, valid: readonly string[], most = Number.POSITIVE_INFINITY): string {
  const nearest = valid.length > 0 ? closest(name, valid) : '';
  const near = distance(name, nearest) <= Math.max(2, nearest.length / 2);
  return `${near ? `Did you mean '${nearest}'? ` : ''}Valid: ${valid.length > most ? '…, ' : ''}${valid.slice(-most).join(', ')}.`;
}
