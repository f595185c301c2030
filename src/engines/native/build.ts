import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../util/cache.js';
import { type Compiler, findCompiler } from '../../util/compiler.js';
import { diskError } from '../../util/disk-errors.js';
import { UserError } from '../../util/errors.js';
import { makeFolders } from '../../util/files.js';
import { machine } from '../../util/machine.js';
import { packageRoot } from '../../util/package.js';
import type { Reporter } from '../../util/reporter.js';
import { COMPILE_FLAGS, compile } from './compile.js';

const LIBRARY = 'densenet.node';
const BUILDING = 'building-';
const HOUR = 3_600_000;

export interface BuildOptions {
  /** Compile what is missing; false refuses instead. */
  readonly setup: boolean;
  readonly reporter: Reporter;
  /** Stops the compiler; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

const CACHE = 'native';

/**
 * Path of the compiled engine for these sources on this processor. In this order: what this compiler built
 * before; where there is no compiler, what another one built; a new build. Two processes may build at once:
 * each builds on its own, and the first to finish moves its folder into place.
 */
export async function ensureBuilt({ setup, reporter, signal }: BuildOptions): Promise<string> {
  const compiler = await findCompiler();
  signal?.throwIfAborted();
  const built = await findBuilt(compiler);
  if (built !== undefined) return built;
  if (!setup) {
    throw new UserError(
      'engine',
      'the native engine is not built yet, and --no-setup forbids building it',
      'Run once without --no-setup, or use --engine tensorflow.',
    );
  }
  if (process.platform === 'win32' || compiler === undefined) {
    throw new UserError(
      'engine',
      'the native engine needs a C++ compiler, and none was found',
      'Run `apt-get install g++` (macOS: `xcode-select --install`), set CXX, or use --engine tensorflow.',
    );
  }
  reporter.line(
    `Building the native engine for this processor with ${compiler.version} (once, under a minute) …`,
  );
  return build(compiler, await sourceStamp(), signal);
}

/** A finished build that fits these sources and this processor, if there is one. */
export async function findBuilt(compiler: Compiler | undefined): Promise<string | undefined> {
  const stamp = await sourceStamp();
  if (compiler !== undefined) {
    const path = join(cacheFolder(CACHE), folderName(stamp, compiler), LIBRARY);
    return existsSync(path) ? path : undefined;
  }
  const names = await readdir(cacheFolder(CACHE)).catch(() => []);
  const name = names.sort().find((entry) => entry.startsWith(`${stamp}-`));
  return name === undefined ? undefined : join(cacheFolder(CACHE), name, LIBRARY);
}

async function build(compiler: Compiler, stamp: string, signal: AbortSignal | undefined): Promise<string> {
  const cache = cacheFolder(CACHE);
  const final = join(cache, folderName(stamp, compiler));
  const folder = join(cache, `${BUILDING}${process.pid}-${Date.now()}`);
  try {
    await makeFolders(folder);
    await removeAbandoned(cache);
    const sources = (await sourceFiles()).filter((file) => file.endsWith('.cc'));
    const objects = join(folder, 'objects');
    await mkdir(objects);
    await compile({
      compiler,
      sources,
      includes: [nodeApiHeaders()],
      folder: objects,
      output: join(folder, LIBRARY),
      signal,
    });
    await rm(objects, { recursive: true });
    await rename(folder, final);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    if (existsSync(join(final, LIBRARY))) return join(final, LIBRARY);
    const otherwise = 'set XDG_CACHE_HOME to another folder';
    throw diskError(error, `cannot build the native engine in ${cache}`, otherwise, 'engine');
  }
  return join(final, LIBRARY);
}

/** Folders that a killed build left behind. */
async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith(BUILDING)) continue;
    const path = join(cache, name);
    const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age > HOUR) await rm(path, { recursive: true, force: true });
  }
}

function nodeApiHeaders(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve('node-api-headers/package.json')), 'include');
}

/** Every C++ file of native/, in a fixed order. */
async function sourceFiles(): Promise<string[]> {
  const folder = join(packageRoot, 'native');
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => /\.(cc|h)$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

/** Names what a build depends on besides the compiler: sources, flags and the processor's features. */
async function sourceStamp(): Promise<string> {
  const hash = createHash('sha256');
  hash.update([process.platform, process.arch, processorFeatures(), ...COMPILE_FLAGS].join('\0'));
  for (const file of await sourceFiles()) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

function folderName(stamp: string, compiler: Compiler): string {
  return `${stamp}-${createHash('sha256').update(compiler.version).digest('hex').slice(0, 8)}`;
}

/** The instruction sets of this processor on Linux, its name elsewhere. */
function processorFeatures(): string {
  if (process.platform === 'linux') {
    const features = /^(flags|Features)\s*:.*$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
    if (features !== null) return features[0];
  }
  return machine().cpu;
}
