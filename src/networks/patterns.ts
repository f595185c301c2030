import { UserError } from '../util/errors.js';
import { suggest } from '../util/suggest.js';
import type { Network } from './network.js';
import { parameters } from './parameters.js';

/**
 * Whether a parameter's name is meant by one of the patterns. A pattern is a name, the beginning of names up to a
 * dot (`classifier`, `features.denseblock4`), or a whole name with `*` for any characters.
 */
export function matcher(patterns: readonly string[]): (name: string) => boolean {
  const expressions = patterns.map((pattern) => {
    const escaped = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&');
    return new RegExp(pattern.includes('*') ? `^${escaped.replaceAll('*', '.*')}$` : `^${escaped}(\\.|$)`);
  });
  return (name) => expressions.some((expression) => expression.test(name));
}

/** Throws a UserError (usage) if one of the patterns means no parameter of the network. */
export function checkPatterns(network: Network, patterns: readonly string[]): void {
  const names = parameters(network).map(({ name }) => name);
  for (const pattern of patterns) {
    if (names.some(matcher([pattern]))) continue;
    const parts = new Set(
      names.flatMap((name) => [name.split('.')[0]!, name.split('.').slice(0, 2).join('.')]),
    );
    throw new UserError(
      'usage',
      `${network.title} has no parameter '${pattern}'`,
      suggest(
        pattern,
        [...parts].filter((part) => !/\.(weight|bias)$/.test(part)),
      ),
    );
  }
}
