import { dirname, extname, resolve } from 'node:path';
import { z } from 'zod';
import { parseError, parseText, readText } from '../config/text.js';
import { UserError } from '../util/errors.js';
import { atHome } from '../util/home.js';
import { shorten } from '../util/shorten.js';
import { suggest } from '../util/suggest.js';
import { findSweep } from './names.js';

const settings = z.array(z.string());
const configSchema = z.union([z.string(), z.strictObject({ config: z.string(), set: settings.optional() })]);

const definitionSchema = z.strictObject({
  description: z.string().optional(),
  extends: z.string().optional(),
  configs: z.array(configSchema).min(1).optional(),
  set: settings.optional(),
  grid: z.record(z.string(), z.array(z.unknown()).min(1)).optional(),
  seeds: z.array(z.int().min(0)).min(1).optional(),
  subset: z.int().min(1).optional(),
  budget: z.number().positive().max(1).optional(),
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
  /** Share of each config's epochs, above 0; all of them when undefined. */
  readonly budget?: number | undefined;
}

/**
 * Reads a sweep file (YAML or JSON; docs/sweeps.md). A config with a `/` is a path as seen from the file, others are
 * names in `configs/`; so is a sweep that it extends, whose keys it replaces. Throws a UserError (usage) that names the
 * file if it is missing or says something else.
 */
export async function readSweepFile(path: string): Promise<SweepDefinition> {
  const { configs, set = [], grid = {}, seeds = [1], subset, budget } = await readEntries(path);
  if (configs) return { configs, set, grid, seeds, subset, budget };
  throw new UserError('usage', `${path}: it names no configs`, 'Add configs, or a sweep that it extends.');
}

type Entries = Partial<SweepDefinition>;

async function readEntries(path: string, below: readonly string[] = []): Promise<Entries> {
  if (below.includes(path)) {
    throw new UserError('usage', `${path} extends itself`, 'Leave out the extends of one of these files.');
  }
  const parsed = definitionSchema.safeParse(await parseFile(path));
  if (!parsed.success) throw explain(path, parsed.error.issues);
  const { extends: base, configs, description: _, ...others } = parsed.data;
  const inherited =
    base === undefined ? {} : await readEntries(besideOrShipped(path, base), [...below, path]);
  const locate = (config: string) => (config.includes('/') ? seenFrom(path, config) : config);
  const own: Entries = configs
    ? {
        configs: configs.map((entry) =>
          typeof entry === 'string'
            ? { config: locate(entry), set: [] }
            : { config: locate(entry.config), set: entry.set ?? [] },
        ),
        ...others,
      }
    : others;
  return { ...inherited, ...own };
}

function besideOrShipped(path: string, base: string): string {
  return base.includes('/') ? seenFrom(path, base) : findSweep(base);
}

function seenFrom(file: string, path: string): string {
  return resolve(dirname(file), atHome(path));
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
