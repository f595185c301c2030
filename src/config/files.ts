import { readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { diskError } from '../util/disk-errors.js';
import { UserError } from '../util/errors.js';
import { packageRoot } from '../util/package.js';
import { suggest } from '../util/suggest.js';
import { type ConfigLayer, isPlainObject, type PlainObject } from './merge.js';

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
    `there is no config '${pathOrName}': no such file, and none of that name in configs/`,
    suggest(configName(pathOrName), configNames()),
  );
}

/** A file as seen from a folder, or else one in `configs/`, there also without extension. */
function locate(pathOrName: string, from: string): string | undefined {
  const path = resolve(from, pathOrName);
  if (isFile(path)) return path;
  if (/^\.{0,2}[\\/]/.test(pathOrName)) return undefined;
  return ['', ...EXTENSIONS].map((extension) => join(configsFolder, pathOrName + extension)).find(isFile);
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
    const cycle = chain.includes(next);
    chain.push(next);
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
    `${displayPath(path)}: extends ${JSON.stringify(base)}, which is not a file`,
    `Give the path of a config as seen from ${folder}, or a name in configs/ such as recipes/cifar.`,
  );
}

/** Parses a config. YAML's parser reads both kinds, since it says where a fault is; JSON must be JSON too. */
async function readConfig(path: string): Promise<PlainObject> {
  const text = await readText(path);
  const kind = extname(path) === '.json' ? 'JSON' : 'YAML';
  const lines = new LineCounter();
  const schema = kind === 'JSON' ? 'json' : 'core';
  const document = parseDocument(text, { schema, lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  const found =
    (kind === 'JSON' && jsonError(text, error?.pos[0])) ||
    (error && { message: error.message, offset: error.pos[0] });
  if (found) {
    const { line, col } = lines.linePos(found.offset);
    throw new UserError(
      'usage',
      `${displayPath(path)}:${line}:${col}: ${found.message}`,
      `Mend the ${kind} at line ${line}, column ${col}.`,
    );
  }
  const values = toPlain(path, document);
  if (isPlainObject(values)) return values;
  throw new UserError(
    'usage',
    `${displayPath(path)}: a config is an object, and this is ${JSON.stringify(values)}`,
    'See docs/configs.md for what a config holds.',
  );
}

function toPlain(path: string, document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS();
  } catch (error) {
    const message = `${displayPath(path)}: ${(error as Error).message}`;
    throw new UserError('usage', message, 'Define the anchor before its alias.', { cause: error });
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw diskError(error, `cannot read ${displayPath(path)}`, 'choose another config', 'usage');
  }
}

/** What JSON.parse says of a text that is not JSON. It does not always say where; `offset` is the next best place. */
function jsonError(text: string, offset = 0): { message: string; offset: number } | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const [, message, position] = /^(.*?)(?: in JSON at position (\d+).*)?$/s.exec((error as Error).message)!;
    return {
      message: message!.replaceAll(/\s+/g, ' '),
      offset: position === undefined ? offset : Number(position),
    };
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** A path as a person would type it: relative to the working folder where it lies below. */
function displayPath(path: string): string {
  const short = relative('', path);
  return short.startsWith('..') ? path : short;
}
