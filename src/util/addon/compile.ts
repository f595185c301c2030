import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import type { Compiler } from '../compiler.js';
import { UserError } from '../errors.js';
import { runTool, ToolError } from '../run-tool.js';
import type { Addon } from './addon.js';

/** How every file is compiled. */
export const COMPILE_FLAGS = [
  '-std=c++17',
  '-O3',
  '-march=native',
  '-ffp-contract=fast',
  '-fPIC',
  '-fvisibility=hidden',
  '-pthread',
] as const;

const LINK_FLAGS = [
  '-shared',
  '-pthread',
  ...(process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : []),
];

export interface Compilation {
  readonly addon: Pick<Addon, 'title' | 'compiler' | 'otherwise'>;
  readonly compiler: Compiler;
  readonly sources: readonly string[];
  readonly includes: readonly string[];
  /** Of the objects. */
  readonly folder: string;
  /** The shared library. */
  readonly output: string;
  readonly signal: AbortSignal | undefined;
}

/**
 * Compiles and links a shared library, one compiler per core. Throws a UserError (engine) with the compiler's first
 * complaint, or the signal's reason, once no compiler runs any more: what they write may then be removed.
 */
export async function compile(compilation: Compilation): Promise<void> {
  const { addon, compiler, sources, includes, folder, output, signal } = compilation;
  const objects = sources.map((source, index) => join(folder, `${index}-${basename(source)}.o`));
  const queue = sources.map((source, index) => ({ source, object: objects[index]! }));
  const include = includes.map((path) => `-I${path}`);
  const failures: unknown[] = [];
  const worker = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      const parameters = [...COMPILE_FLAGS, ...include, '-c', job.source, '-o', job.object];
      await invoke(addon, compiler, parameters, signal).catch((error: unknown) => {
        failures.push(error);
        queue.length = 0;
      });
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  if (failures.length > 0) throw failures[0];
  await invoke(addon, compiler, [...LINK_FLAGS, ...objects, '-o', output], signal);
}

async function invoke(
  { title, compiler: { variable }, otherwise }: Compilation['addon'],
  compiler: Compiler,
  parameters: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await runTool(compiler.command, parameters, { signal });
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    const full = /no space left on device/i.test(error.said);
    throw new UserError(
      'engine',
      `${compiler.command} cannot compile ${title}: ${error.firstComplaint}`,
      full
        ? 'Free some space, or set XDG_CACHE_HOME and TMPDIR to other folders.'
        : `Set ${variable} to GCC 9 or Clang 10, or newer, or ${otherwise}.`,
      { cause: error },
    );
  }
}
