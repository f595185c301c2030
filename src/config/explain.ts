import type { z } from 'zod';
import { UserError } from '../util/errors.js';
import { shorten, shortenValue } from '../util/shorten.js';
import { suggest } from '../util/suggest.js';
import { configJsonSchema, DISCRIMINATORS, type JsonSchema } from './json-schema.js';
import { type ConfigLayer, isPlainObject } from './merge.js';

type Issue = z.core.$ZodIssue;

let schemaOnce: JsonSchema | undefined;

/** Made when it is first needed, and once: that takes longer than all else here. */
function wholeSchema(): JsonSchema {
  schemaOnce ??= configJsonSchema();
  return schemaOnce;
}

/** Values that were merged from layers; `file` is to blame for what no layer has. */
export interface Checked {
  readonly values: unknown;
  readonly layers: readonly ConfigLayer[];
  readonly file: string;
}

/**
 * Turns what zod found wrong into one line that names the file or `--set` and the key, and one that says what
 * would be right. Unknown keys come first: a misspelt key often explains a missing one.
 */
export function explain(issues: readonly Issue[], { values, layers, file }: Checked): UserError {
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]!;
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const path = [...issue.path, ...(unknown === undefined ? [] : [unknown])].map(String);
  const origin = layers.findLast((layer) => has(layer.values, path))?.origin ?? file;
  const { message, remedy } = describeIssue(issue, path, values);
  return new UserError('usage', `${origin}: ${message}`, remedy);
}

function describeIssue(issue: Issue, path: string[], values: unknown): { message: string; remedy: string } {
  const name = shorten(path.join('.')) || 'an experiment';
  const value = valueAt(values, path);
  const description = describedAt(path, values);
  const remedy = description ? `${name}: ${description}` : 'See docs/configs.md for what a config holds.';
  if (issue.code === 'unrecognized_keys') {
    return { message: `there is no key '${name}'`, remedy: nearestKeys(path, values) };
  }
  if (issue.code === 'custom') {
    return { message: `${name} ${issue.message}`, remedy: String(issue.params?.remedy ?? remedy) };
  }
  if (value === undefined) return { message: `${name} is missing`, remedy };
  const but = `and is ${shortenValue(value)}`;
  switch (issue.code) {
    case 'invalid_value':
      return unknownValue(name, value, issue.values.map(String));
    case 'invalid_union':
      return unknownValue(name, value, 'options' in issue ? optionNames(issue.options) : []);
    case 'invalid_type':
      return {
        message: `${name} must be ${KINDS[issue.expected] ?? issue.expected}, ${but}`,
        remedy: issue.expected === 'object' ? innerKeys(path, value, values) : remedy,
      };
    case 'too_small':
      if (issue.origin !== 'number' && issue.origin !== 'int') {
        return { message: `${name} must not be empty`, remedy };
      }
      return {
        message: `${name} must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}, ${but}`,
        remedy,
      };
    case 'too_big':
      if (issue.origin !== 'number' && issue.origin !== 'int') {
        const unit = issue.origin === 'string' ? 'characters' : 'entries';
        return { message: `${name} must have at most ${issue.maximum} ${unit}, ${but}`, remedy };
      }
      return {
        message: `${name} must be ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}, ${but}`,
        remedy,
      };
    default:
      return { message: `${name} ${shortenValue(value)} does not fit`, remedy };
  }
}

/** Names of types in zod's issues, for people. */
const KINDS: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
};

function optionNames(options: unknown): string[] {
  return Array.isArray(options) ? options.filter((option) => typeof option === 'string') : [];
}

function unknownValue(name: string, value: unknown, valid: string[]) {
  const remedy = suggest(shorten(String(value)), valid);
  return { message: `${name} ${shortenValue(value)} is unknown`, remedy };
}

/** The key as it is called elsewhere in a config, whose it is, or the nearest name among its neighbours. */
function nearestKeys(path: string[], values: unknown): string {
  const key = shorten(path.at(-1)!);
  const glued = /^(\w+):(.+)$/.exec(key);
  if (glued) return `Write '${glued[1]}: ${glued[2]}', with a space after the colon.`;
  if (key === '<<') return 'Merge keys are not read here: give the config to build on as extends.';
  const whose = ownerInUnion(path, values);
  if (whose) return whose;
  const elsewhere = Object.entries(wholeSchema().properties ?? {}).flatMap(([group, schema]) =>
    typeof schema === 'object' &&
    members(schema).some(({ properties }) => Object.hasOwn(properties ?? {}, key))
      ? [`${group}.${key}`]
      : [],
  );
  if (elsewhere.length > 0) return `Did you mean '${elsewhere[0]}'?`;
  const valid = Object.keys(schemaAt(path.slice(0, -1), values)?.properties ?? {});
  return suggest(
    key,
    valid.filter((name) => name !== '$schema' && name !== key),
  );
}

/** Which keys an object has, where something else stands in its place; first the one that would take the value. */
function innerKeys(path: readonly string[], value: unknown, values: unknown): string {
  const properties = Object.entries(schemaAt(path, values)?.properties ?? {});
  const names = properties.map(([key]) => [...path, key].join('.'));
  const fitting = properties.findIndex(([, schema]) => {
    if (typeof schema !== 'object' || schema.const !== undefined) return false;
    const type = schema.type === 'integer' ? 'number' : schema.type;
    return type === typeof value;
  });
  return `${fitting < 0 ? '' : `Did you mean ${names[fitting]}? `}Its keys: ${names.join(', ')}.`;
}

/** Where another member of the union has the key: `network.width is of family resnet: …`. */
function ownerInUnion(path: readonly string[], values: unknown): string | undefined {
  const around = path.slice(0, -1);
  const owner = members(unresolvedAt(around, values)).find(({ properties }) =>
    Object.hasOwn(properties ?? {}, path.at(-1)!),
  );
  const discriminator = DISCRIMINATORS.find((name) => Object.hasOwn(owner?.properties ?? {}, name));
  const property = discriminator && owner?.properties?.[discriminator];
  if (typeof property !== 'object') return undefined;
  const where = [...around, discriminator].join('.');
  return `${path.join('.')} is of ${discriminator} ${property.const}: take it out, or set ${where} to ${property.const}.`;
}

/** The description of a key, or of the list that it is an entry of. */
function describedAt(path: readonly string[], values: unknown): string | undefined {
  const list = path.length > 1 ? schemaAt(path.slice(0, -1), values) : undefined;
  return schemaAt(path, values)?.description ?? (list?.type === 'array' ? list.description : undefined);
}

/** The JSON Schema at a path; of a union, the member that the values are of, or the first. */
function schemaAt(path: readonly string[], values: unknown): JsonSchema | undefined {
  const schema = unresolvedAt(path, values);
  return schema && resolveUnion(schema, valueAt(values, path));
}

/** The same; of a union at the end of the path, all of it. */
function unresolvedAt(path: readonly string[], values: unknown): JsonSchema | undefined {
  let schema: JsonSchema | undefined = wholeSchema();
  path.forEach((key, depth) => {
    const around = schema && resolveUnion(schema, valueAt(values, path.slice(0, depth)));
    const next: unknown = around?.properties?.[key] ?? around?.items;
    schema = isPlainObject(next) ? next : undefined;
  });
  return schema;
}

/** The members of a union; of anything else, itself. */
function members(schema: JsonSchema | undefined): JsonSchema[] {
  if (schema === undefined) return [];
  const all = schema.oneOf ?? schema.anyOf;
  return all ? (all.filter(isPlainObject) as JsonSchema[]) : [schema];
}

function resolveUnion(schema: JsonSchema, value: unknown): JsonSchema {
  const all = members(schema);
  const belongs = ({ properties }: JsonSchema) =>
    DISCRIMINATORS.some((name) => {
      const property = properties?.[name];
      return typeof property === 'object' && isPlainObject(value) && property.const === value[name];
    });
  return all.find(belongs) ?? all[0] ?? schema;
}

function valueAt(values: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => {
    if (Array.isArray(value)) return value[Number(key)];
    return isPlainObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }, values);
}

/** Whether the layer says anything at the path. */
function has(values: unknown, path: readonly string[]): boolean {
  return valueAt(values, path) !== undefined;
}
