import { type Stats, statSync } from 'node:fs';
import { type Document, isScalar, Lexer, LineCounter, parseDocument, visit } from 'yaml';
import { diskError } from '../util/disk-errors.js';
import { systemCode, UserError } from '../util/errors.js';
import { formatCount } from '../util/format.js';
import { readSmallFile } from '../util/read-files.js';
import { shorten } from '../util/shorten.js';

/** Bytes of a config or sweep file, at most. */
const MOST_BYTES = 2 ** 20;

/** Words and signs of such a file, at most: to parse all that a megabyte can hold would take many seconds. */
const MOST_TOKENS = 50_000;

/** Levels of objects and lists, at most; an alias that holds itself has endlessly many. */
const MOST_LEVELS = 20;

const REASONS: Readonly<Record<string, string>> = {
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text',
  ERR_INVALID_ARG_VALUE: 'its name has a character of value 0',
};

const OTHERWISE = 'give the path of a text file that you may read';

/** Whether there is a file at a path, links followed, or a pipe or device that a person takes for one. */
export function isThere(path: string): boolean {
  return !path.includes('\0') && lookAt(path)?.isDirectory() === false;
}

/** Throws a UserError (usage) if it cannot be seen what is there. */
function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw diskError(error, `cannot look at ${shorten(path)}`, OTHERWISE, 'usage');
  }
}

/**
 * Reads a text of at most 1 MB, without the byte order mark that some editors begin it with. Throws a UserError (usage)
 * for anything else: pipes and devices, which may never end, too.
 */
export async function readText(path: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readSmallFile(path, MOST_BYTES));
  } catch (error) {
    const reason = error instanceof UserError ? error.message : REASONS[systemCode(error) ?? ''];
    if (reason === undefined) throw diskError(error, `cannot read ${path}`, OTHERWISE, 'usage');
    const message = error instanceof UserError ? reason : `cannot read ${shorten(path)}: ${reason}`;
    throw new UserError('usage', message, 'Give the path of a text file in JSON or YAML.', { cause: error });
  }
}

/** What is wrong with a text, and where it stands, if that is known. */
export interface Fault {
  readonly message: string;
  readonly place?: { readonly line: number; readonly column: number };
}

/** What to throw for a fault of a file. */
export function parseError(shown: string, kind: 'JSON' | 'YAML', { message, place }: Fault): UserError {
  const where = place ? `:${place.line}:${place.column}` : '';
  const remedy = `Repair the ${kind}${place ? ` at line ${place.line}, column ${place.column}` : ''}.`;
  return new UserError('usage', `${shown}${where}: ${message}`, remedy);
}

/** The value of a text, or what is wrong with it. */
export type Parsed = { readonly value: unknown } | { readonly fault: Fault };

/**
 * The value of a text. YAML 1.2 contains JSON, and its parser says where a fault is; of a text in JSON, what JSON.parse
 * refuses is refused. Keys are unique, and there are no tags.
 */
export function parseText(text: string, kind: 'JSON' | 'YAML'): Parsed {
  if (hasMoreTokensThan(text, MOST_TOKENS)) return { fault: TOO_LONG };
  try {
    return kind === 'JSON' ? parseStrictJson(text) : parseYaml(text, 'core');
  } catch (error) {
    if (error instanceof RangeError) return { fault: TOO_DEEP };
    return { fault: { message: shorten((error as Error).message, MOST_OF_A_MESSAGE) } };
  }
}

const MOST_OF_A_MESSAGE = 200;

const TOO_DEEP: Fault = {
  message: `it is nested more than ${MOST_LEVELS} levels deep, or an alias holds itself`,
};

const TOO_LONG: Fault = {
  message: `it has more than ${formatCount(MOST_TOKENS)} words and signs; a config has a few hundred`,
};

/** JSON has the tokens that it has as YAML. */
function hasMoreTokensThan(text: string, most: number): boolean {
  let count = 0;
  for (const _ of new Lexer().lex(text)) if (++count > most) return true;
  return false;
}

function parseStrictJson(text: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return parseYaml(text, 'json', (error as Error).message);
  }
  if (isDeeperThan(value, MOST_LEVELS)) return { fault: TOO_DEEP };
  // JSON.parse takes the last of equal keys without a word.
  return keysOf(value) < keysIn(text) ? parseYaml(text, 'json') : { value };
}

/** `refusal`: what JSON.parse says of the text. It does not always say where; the YAML parser does. */
function parseYaml(text: string, schema: 'core' | 'json', refusal?: string): Parsed {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    ...{ schema, lineCounter: lines, prettyErrors: false, logLevel: 'error' },
    // The parser's own check compares each key with every other.
    uniqueKeys: false,
  });
  const [error] = [...document.errors, ...document.warnings];
  // The parser reports its own stack overflow as an error of the text.
  if (error?.message.startsWith('Maximum call stack')) return { fault: TOO_DEEP };
  const found =
    (refusal && refusedJson(refusal, error?.pos[0])) ||
    (error && { message: error.message, offset: error.pos[0] }) ||
    repeatedKey(document);
  if (found) {
    const { line, col } = lines.linePos(found.offset);
    const message = shorten(found.message, MOST_OF_A_MESSAGE);
    return { fault: { message, place: { line, column: col } } };
  }
  const value: unknown = document.toJS();
  return isDeeperThan(value, MOST_LEVELS) ? { fault: TOO_DEEP } : { value };
}

function refusedJson(refusal: string, offset = 0): { message: string; offset: number } {
  const [, message, position] = /^(.*?)(?: in JSON at position (\d+).*)?$/s.exec(refusal)!;
  return {
    message: message!.replaceAll(/\s+/g, ' '),
    offset: position === undefined ? offset : Number(position),
  };
}

/** The first key that its object has already. */
function repeatedKey(document: Document): { message: string; offset: number } | undefined {
  let found: { message: string; offset: number } | undefined;
  visit(document, {
    Map(_, { items }) {
      const keys = new Set<string>();
      for (const { key } of items) {
        const size = keys.size;
        if (!isScalar(key) || keys.add(String(key.value)).size > size) continue;
        found = { message: `Map keys must be unique: '${key.value}'`, offset: key.range?.[0] ?? 0 };
        return visit.BREAK;
      }
    },
  });
  return found;
}

/** Keys of all objects in a value. */
function keysOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner = Object.values(value).reduce<number>((sum, item) => sum + keysOf(item), 0);
  return inner + (Array.isArray(value) ? 0 : Object.keys(value).length);
}

/** Keys in a JSON text: the strings with a colon after them. */
function keysIn(text: string): number {
  let count = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) if (colon !== undefined) count++;
  return count;
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1));
}
