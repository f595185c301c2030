import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../cache.js';
import type { Compiler } from '../compiler.js';
import { diskError } from '../disk-errors.js';
import { UserError } from '../errors.js';
import { machine } from '../machine.js';
import { packageRoot } from '../package.js';
import type { Reporter } from '../reporter.js';
import { makeWorkFolder } from '../work-folder.js';
import type { Addon } from './addon.js';
import { COMPILE_FLAGS, compile } from './compile.js';

export interface BuildOptions {
  /** Compile what is missing; false refuses instead. */
  readonly setup: boolean;
  readonly reporter: Reporter;
  /** Stops the compiler; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Path of an addon compiled from these sources on this processor. In this order: what this compiler built
 * before; where there is no compiler, what another one built; a new build. Two processes may build at once:
 * each builds on its own, and the first to finish moves its folder into place.
 */
export async function ensureBuilt(addon: Addon, { setup, reporter, signal }: BuildOptions): Promise<string> {
  const { title, otherwise } = addon;
  const compiler = await addon.findCompiler();
  signal?.throwIfAborted();
  const built = await findBuilt(addon, compiler);
  if (built !== undefined) return built;
  if (!setup) {
    throw new UserError(
      'engine',
      `${title} is not built yet, and --no-setup forbids building it`,
      `Run once without --no-setup, or ${otherwise}.`,
    );
  }
  if (process.platform === 'win32' || compiler === undefined) {
    throw new UserError(
      'engine',
      `${title} needs ${addon.compiler.name}, and none was found`,
      `${addon.compiler.remedy}, or ${otherwise}.`,
    );
  }
  reporter.line(`Building ${title} for this processor with ${compiler.version} (once, under a minute) …`);
  return build(addon, compiler, signal);
}

/** A finished build that fits these sources and this processor, if there is one. */
export async function findBuilt(addon: Addon, compiler: Compiler | undefined): Promise<string | undefined> {
  const stamp = await sourceStamp(addon);
  const cache = cacheFolder(addon.cache);
  if (compiler !== undefined) {
    const path = join(cache, folderName(stamp, compiler), addon.library);
    return existsSync(path) ? path : undefined;
  }
  const names = await readdir(cache).catch(() => []);
  const name = names.sort().find((entry) => entry.startsWith(`${stamp}-`));
  return name === undefined ? undefined : join(cache, name, addon.library);
}

async function build(addon: Addon, compiler: Compiler, signal: AbortSignal | undefined): Promise<string> {
  const cache = cacheFolder(addon.cache);
  const final = join(cache, folderName(await sourceStamp(addon), compiler));
  const library = join(final, addon.library);
  let folder: string | undefined;
  try {
    folder = await makeWorkFolder(cache);
    const objects = join(folder, 'objects');
    await mkdir(objects);
    await compile({
      addon,
      compiler,
      sources: (await files(addon)).filter((file) => file.endsWith('.cc')),
      includes: [nodeApiHeaders(), ...addon.headers.map((header) => dirname(join(packageRoot, header)))],
      folder: objects,
      output: join(folder, addon.library),
      signal,
    });
    await rm(objects, { recursive: true });
    await rename(folder, final);
  } catch (error) {
    // Whatever stays is abandoned, and removed by a later build.
    if (folder) await rm(folder, { recursive: true, force: true }).catch(() => {});
    if (existsSync(library)) return library;
    const otherwise = 'set XDG_CACHE_HOME to another folder';
    throw diskError(error, `cannot build ${addon.title} in ${cache}`, otherwise, 'engine');
  }
  return library;
}

function nodeApiHeaders(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve('node-api-headers/package.json')), 'include');
}

/** Every C++ file of an addon, in a fixed order. */
async function files({ sources, headers }: Addon): Promise<string[]> {
  const folder = join(packageRoot, sources);
  const names = await readdir(folder, { recursive: true });
  const own = names.filter((name) => /\.(cc|h)$/.test(name)).sort();
  return [...own.map((name) => join(folder, name)), ...headers.map((header) => join(packageRoot, header))];
}

/** Names what a build depends on besides the compiler: sources, flags and the processor's features. */
async function sourceStamp(addon: Addon): Promise<string> {
  const hash = createHash('sha256');
  hash.update([process.platform, process.arch, processorFeatures(), ...COMPILE_FLAGS].join('\0'));
  for (const file of await files(addon)) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

function folderName(stamp: string, compiler: Compiler): string {
  return `${stamp}-${createHash('sha256')
    .update(compiler.version + (compiler.calls ?? ''))
    .digest('hex')
    .slice(0, 8)}`;
}

/** The instruction sets of this processor on Linux, its name elsewhere, or where a sandbox hides them. */
function processorFeatures(): string {
  if (existsSync('/proc/cpuinfo')) {
    const features = /^(flags|Features)\s*:.*$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
    if (features !== null) return features[0];
  }
  return machine().cpu;
}
