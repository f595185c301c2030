import { dirname, extname, resolve } from 'node:path';
import { z } from 'zod';
import { parseError, parseText, readText } from '../config/text.js';
import { UserError } from '../util/errors.js';
import { shorten } from '../util/shorten.js';
import { suggest } from '../util/suggest.js';

const settings = z.array(z.string());
const configSchema = z.union([z.string(), z.strictObject({ config: z.string(), set: settings.optional() })]);

const definitionSchema = z.strictObject({
  description: z.string().optional(),
  configs: z.array(configSchema).min(1),
  set: settings.default([]),
  grid: z.record(z.string(), z.array(z.unknown()).min(1)).default({}),
  seeds: z.array(z.int().min(0)).min(1).default([1]),
  subset: z.int().min(1).optional(),
});

/** An experiment of many runs: every config, with every combination of the grid, with every seed. */
export interface SweepDefinition {
  /** What `--config` of `train` takes, and settings for this config alone. */
  readonly configs: readonly { readonly config: string; readonly set: readonly string[] }[];
  /** `path.to.key=value`, for all configs. */
  readonly set: readonly string[];
  /** Dotted keys of the config and the values that each takes. */
  readonly grid: Readonly<Record<string, readonly unknown[]>>;
  readonly seeds: readonly number[];
  /** First N images of each split, where not all are used. */
  readonly subset?: number | undefined;
}

/**
 * Reads a sweep file (YAML or JSON; docs/sweeps.md). A config with a `/` is a path as seen from the file, others are
 * names in `configs/`. Throws a UserError (usage) that names the file if it is missing or says something else.
 */
export async function readSweepFile(path: string): Promise<SweepDefinition> {
  const parsed = definitionSchema.safeParse(await parseFile(path));
  if (!parsed.success) throw explain(path, parsed.error.issues);
  const { configs, set, grid, seeds, subset } = parsed.data;
  const locate = (config: string) => (config.includes('/') ? resolve(dirname(path), config) : config);
  return {
    configs: configs.map((entry) =>
      typeof entry === 'string'
        ? { config: locate(entry), set: [] }
        : { config: locate(entry.config), set: entry.set ?? [] },
    ),
    set,
    grid,
    seeds,
    subset,
  };
}

async function parseFile(path: string): Promise<unknown> {
  const kind = extname(path) === '.json' ? 'JSON' : 'YAML';
  const parsed = parseText(await readText(path), kind);
  if ('fault' in parsed) throw parseError(path, kind, parsed.fault);
  return parsed.value;
}

/** Unknown keys come first: a misspelt key often explains a missing one. */
function explain(path: string, issues: readonly z.core.$ZodIssue[]): UserError {
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]!;
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    const valid = issue.path.length > 0 ? ['config', 'set'] : Object.keys(definitionSchema.shape);
    return new UserError('usage', `${path}: there is no key '${shorten(key)}'`, suggest(shorten(key), valid));
  }
  const where = issue.path.join('.') || 'the file';
  return new UserError(
    'usage',
    `${path}: ${where}: ${issue.message}`,
    'See docs/sweeps.md for what a sweep holds.',
  );
}
