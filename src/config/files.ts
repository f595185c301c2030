import { readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { UserError } from '../util/errors.js';
import { atHome } from '../util/home.js';
import { packageRoot } from '../util/package.js';
import { shorten, shortenValue } from '../util/shorten.js';
import { suggest } from '../util/suggest.js';
import { type ConfigLayer, isPlainObject, type PlainObject } from './merge.js';
import { isThere, parseError, parseText, readText } from './text.js';

/** The configs that come with the program. */
export const configsFolder = join(packageRoot, 'configs');

const EXTENSIONS = ['.json', '.yaml', '.yml'];

/** Names of the configs in `configs/`, without extension. */
export function configNames(): string[] {
  return readdirSync(configsFolder)
    .filter((file) => EXTENSIONS.includes(extname(file)) && file !== 'schema.json')
    .map(configName)
    .sort();
}

/** The name that a config has if it gives itself none. */
export function configName(path: string): string {
  return basename(path, extname(path));
}

/**
 * The file that `--config` means: a path, or the bare name of a file in `configs/`, with or without extension.
 * Throws a UserError (usage) if there is none.
 */
export function findConfig(pathOrName: string): string {
  const found = locate(pathOrName, '');
  if (found) return found;
  throw new UserError(
    'usage',
    `there is no config '${shorten(pathOrName)}': no such file, and none of that name in configs/`,
    suggest(configName(pathOrName), configNames()),
  );
}

/** A file as seen from a folder, or else one in `configs/`, there also without extension. */
function locate(pathOrName: string, from: string): string | undefined {
  const path = resolve(from, atHome(pathOrName));
  if (isThere(path)) return path;
  if (/^\.{0,2}[\\/]/.test(pathOrName)) return undefined;
  return ['', ...EXTENSIONS].map((extension) => join(configsFolder, pathOrName + extension)).find(isThere);
}

/**
 * Reads a config and all that it extends: the lowest layer first. `name` and `description` speak of their own
 * file and are not inherited. Throws a UserError (usage) on syntax errors (with line and column), on missing
 * files and on a file that extends itself.
 */
export async function readConfigChain(path: string): Promise<ConfigLayer[]> {
  const layers: ConfigLayer[] = [];
  const chain: string[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const real = realpathSync(next);
    const cycle = chain.includes(real);
    chain.push(real);
    if (cycle) {
      const names = chain.map(displayPath).join(' → ');
      throw new UserError('usage', `a config extends itself: ${names}`, 'Remove one of these `extends`.');
    }
    const { $schema: _, extends: base, ...values } = await readConfig(next);
    const { name: _name, description: _description, ...inherited } = values;
    layers.unshift({ origin: displayPath(next), values: layers.length === 0 ? values : inherited });
    next = basePath(next, base);
  }
  return layers;
}

function basePath(path: string, base: unknown): string | undefined {
  if (base === undefined) return undefined;
  const target = typeof base === 'string' ? locate(base, dirname(path)) : undefined;
  if (target !== undefined) return target;
  const folder = `${displayPath(dirname(path)) || '.'}${sep}`;
  throw new UserError(
    'usage',
    `${displayPath(path)}: extends ${shortenValue(base)}, which is not a file`,
    `Give the path of a config as seen from ${folder}, or a name in configs/ such as recipes/cifar.`,
  );
}

async function readConfig(path: string): Promise<PlainObject> {
  const shown = displayPath(path);
  const kind = extname(path) === '.json' ? 'JSON' : 'YAML';
  const parsed = parseText(await readText(shown), kind);
  if ('fault' in parsed) throw parseError(shown, kind, parsed.fault);
  const { value } = parsed;
  if (isPlainObject(value)) return value;
  throw new UserError(
    'usage',
    `${shown}: a config is an object, and this is ${shortenValue(value, 40)}`,
    'See docs/configs.md for what a config holds.',
  );
}

/** A path as a person would type it: relative to the working folder where it lies below. */
function displayPath(path: string): string {
  const short = relative('', path);
  return short.startsWith('..') ? path : short;
}
