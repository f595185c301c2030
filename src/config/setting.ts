import { UserError } from '../util/errors.js';
import { shorten } from '../util/shorten.js';
import type { ConfigLayer, PlainObject } from './merge.js';
import { parseText } from './text.js';

const EXAMPLE = 'Write it as --set training.epochs=10; the value is YAML, so lists are [a, b].';

/**
 * Reads `path.to.key=value`, the argument of `--set`; the value is YAML, so `0.5`, `true` and `[shift, mirror]`
 * are what they look like. Throws a UserError (usage) if it has another form.
 */
export function parseSetting(text: string): ConfigLayer {
  const origin = `--set ${shorten(text)}`;
  const equals = text.indexOf('=');
  const path = text.slice(0, Math.max(0, equals)).trim().split('.');
  if (path.some((part) => part === '')) {
    throw new UserError('usage', `${origin} is not of the form path.to.key=value`, EXAMPLE);
  }
  const parsed = parseText(text.slice(equals + 1), 'YAML');
  if ('fault' in parsed) throw new UserError('usage', `${origin}: ${parsed.fault.message}`, EXAMPLE);
  const values = path.reduceRight<unknown>((value, key) => Object.fromEntries([[key, value]]), parsed.value);
  return { origin, values: values as PlainObject };
}
