import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../../util/cache.js';
import { findCompiler } from '../../../util/compiler.js';
import { diskError } from '../../../util/disk-errors.js';
import { UserError } from '../../../util/errors.js';
import { formatBytes } from '../../../util/format.js';
import type { Reporter } from '../../../util/reporter.js';
import { makeWorkFolder } from '../../../util/work-folder.js';
import { BINDING_STAMP, compileBinding } from './compile.js';
import { TENSORFLOW_VERSION, type Wheel, wheelsFor } from './packages.js';
import { downloadWheels, findPip, total } from './pip.js';
import { unpack } from './unpack.js';

export interface SetupOptions {
  readonly device: 'cpu' | 'gpu';
  /** Fetch and compile what is missing; false refuses instead. */
  readonly setup: boolean;
  readonly reporter: Reporter;
  /** Fetch and compile again, even if all is there. */
  readonly force?: boolean;
  /** Stops pip or the compiler; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** The library and the compiled binding, ready to be loaded. */
export interface Library {
  readonly binding: string;
  /** Folders that the loader must search for CUDA. */
  readonly cudaFolders: readonly string[];
}

export const BINDING = 'tfjs_binding.node';

/** Where the library of a device belongs: one folder for each version of everything it is made of. */
export function libraryFolder(device: 'cpu' | 'gpu'): string {
  const parts = [BINDING_STAMP, ...wheelsFor(device).map(({ sha256 }) => sha256)];
  const stamp = createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 12);
  return join(cacheFolder('tensorflow'), `${TENSORFLOW_VERSION}-${device}-${stamp}`);
}

/** The library if it is set up; the one with CUDA serves the CPU too. */
export async function findLibrary(device: 'cpu' | 'gpu'): Promise<Library | undefined> {
  for (const candidate of device === 'cpu' && process.arch === 'x64' ? (['cpu', 'gpu'] as const) : [device]) {
    const folder = libraryFolder(candidate);
    const binding = join(folder, BINDING);
    if (existsSync(binding)) return { binding, cudaFolders: await cudaFolders(folder) };
  }
  return undefined;
}

async function cudaFolders(folder: string): Promise<string[]> {
  const nvidia = join(folder, 'nvidia');
  if (!existsSync(nvidia)) return [];
  const packages = await readdir(nvidia);
  return packages.map((name) => join(nvidia, name, 'lib')).filter((path) => existsSync(path));
}

/**
 * Makes sure that TensorFlow's library is here: downloads its wheels with pip, takes the library out of them
 * and compiles the binding. Works in a folder of its own and moves it into place when whole, so that a
 * killed process leaves nothing half done and two at once do no harm. Throws a UserError (engine).
 */
export async function ensureLibrary(options: SetupOptions): Promise<Library> {
  const { device, setup, reporter, signal } = options;
  const wheels = wheelsFor(device);
  const found = options.force ? undefined : await findLibrary(device);
  if (found) return found;
  if (!setup) {
    throw new UserError(
      'engine',
      'the TensorFlow library is not set up, and --no-setup forbids fetching it',
      `Run: densenet setup tensorflow --device ${device}, or use --engine native.`,
    );
  }
  const cache = cacheFolder('tensorflow');
  let building: string | undefined;
  try {
    building = await makeWorkFolder(cache);
    await build(building, wheels, reporter, signal);
    await installLibrary(building, libraryFolder(device), options.force ?? false);
  } catch (error) {
    const otherwise = `set XDG_CACHE_HOME to a folder with ${formatBytes(4 * total(wheels))} of free space`;
    throw diskError(error, `cannot set up TensorFlow in ${cache}`, otherwise, 'engine');
  } finally {
    // Where it cannot be removed, what went wrong before says more.
    if (building) await rm(building, { recursive: true, force: true }).catch(() => {});
  }
  return (await findLibrary(device))!;
}

async function build(
  folder: string,
  wheels: readonly Wheel[],
  reporter: Reporter,
  signal: AbortSignal | undefined,
): Promise<void> {
  const pip = await findPip();
  const compiler = await findCompiler();
  signal?.throwIfAborted();
  if (!pip || !compiler) {
    throw new UserError(
      'engine',
      `setting up TensorFlow needs ${[!pip && 'Python 3 with pip', !compiler && 'a C++ compiler'].filter(Boolean).join(' and ')}, which this machine lacks`,
      `Run: apt-get install ${[!pip && 'python3-pip', !compiler && 'g++'].filter(Boolean).join(' ')}; or use --engine native.`,
    );
  }
  reporter.line(`Fetching TensorFlow ${TENSORFLOW_VERSION} with pip (once, ${formatBytes(total(wheels))}) …`);
  const downloads = join(folder, 'wheels');
  await downloadWheels(pip.command, wheels, downloads, reporter, signal);
  reporter.line('Unpacking the library …');
  const files = (await readdir(downloads)).filter((name) => name.endsWith('.whl'));
  await unpack(
    pip.command,
    files.map((name) => join(downloads, name)),
    folder,
    signal,
  );
  await rm(downloads, { recursive: true });
  reporter.line('Compiling the binding (half a minute) …');
  await compileBinding(compiler.command, folder, join(folder, BINDING), signal);
  await rm(join(folder, 'tensorflow', 'include'), { recursive: true });
}

/** Moves what was built into place, unless another process was faster with the same files, and may run them by now. */
async function installLibrary(built: string, final: string, replace: boolean): Promise<void> {
  const isThere = () => existsSync(join(final, BINDING));
  if (replace || !isThere()) await rm(final, { recursive: true, force: true });
  try {
    await rename(built, final);
  } catch (error) {
    if (!isThere()) throw error;
  }
}
