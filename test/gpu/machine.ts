import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Precision } from '../../src/engines/engine.js';
import { compileBinding } from '../../src/engines/tensorflow/library/compile.js';
import { wheelsFor } from '../../src/engines/tensorflow/library/packages.js';
import { downloadWheels, findPip } from '../../src/engines/tensorflow/library/pip.js';
import { BINDING, libraryFolder } from '../../src/engines/tensorflow/library/setup.js';
import { unpack } from '../../src/engines/tensorflow/library/unpack.js';
import { processEnvironment } from '../../src/engines/tensorflow/process/environment.js';
import { cacheFolder } from '../../src/util/cache.js';
import { findCompiler } from '../../src/util/compiler.js';
import type { Reporter } from '../../src/util/reporter.js';
import { buildStubs } from './null-gpu/build.js';

/**
 * Makes this machine one with a null GPU, for the processes that are started from now on: TensorFlow from its CUDA
 * wheel, without NVIDIA's wheels; the null GPU's libraries in their place and in the place of a driver; and a cache
 * in which the program finds them as if `densenet setup tensorflow --device gpu` had put them there. All of it lies
 * in a folder of the program's cache, and what is there is used again.
 */
export async function becomeNullGpuMachine(reporter: Reporter): Promise<void> {
  const folder = cacheFolder('null-gpu');
  process.env.XDG_CACHE_HOME = folder;
  const wheel = join(folder, `wheel-${wheelsFor('gpu')[0]!.sha256.slice(0, 12)}`);
  if (!existsSync(wheel)) await fetchWheel(wheel, reporter);
  if (!existsSync(pythonPackages())) await installPython(pythonPackages(), reporter);
  const stubs = join(folder, `stubs-${await stubsStamp(wheel)}`);
  if (!existsSync(stubs)) {
    reporter.line('Compiling the libraries of the null GPU …');
    await removeOlder(folder, 'stubs-');
    await buildStubs(join(wheel, 'tensorflow'), stubs);
  }
  await linkLibrary(wheel, join(stubs, 'cuda'));
  process.env.LD_LIBRARY_PATH = `${join(stubs, 'driver')}:${join(stubs, 'nvml')}`;
}

/** Folders of libcuda.so.1 and of libnvidia-ml.so.1 of a machine with a null GPU. */
export function driverFolders(): { driver: string; nvml: string } {
  const [driver, nvml] = process.env.LD_LIBRARY_PATH!.split(':');
  return { driver: driver!, nvml: nvml! };
}

/**
 * Environment of a Python process with TensorFlow on the null GPU, set as the engine sets it. The Python interface is
 * that of the CPU's package, whose library gives way to the one with CUDA: they are of the same release.
 */
export function pythonEnvironment(precision: Precision): Record<string, string | undefined> {
  const cuda = join(libraryFolder('gpu'), 'nvidia', 'null', 'lib');
  const folders = [tensorflowFolder(), cuda];
  return {
    ...processEnvironment({ device: 'gpu', threads: 2, precision }, folders),
    PYTHONPATH: pythonPackages(),
  };
}

/** Folder of the Python packages of TensorFlow for the CPU. */
function pythonPackages(): string {
  return join(process.env.XDG_CACHE_HOME!, 'python');
}

/** Folder of TensorFlow's library with CUDA. */
export function tensorflowFolder(): string {
  return join(libraryFolder('gpu'), 'tensorflow');
}

async function fetchWheel(target: string, reporter: Reporter): Promise<void> {
  const python = (await findPip())!.command;
  const building = `${target}.new`;
  await rm(building, { recursive: true, force: true });
  const downloads = join(building, 'downloads');
  reporter.line('Fetching TensorFlow with CUDA, without NVIDIA’s libraries (once, 573 MB) …');
  await downloadWheels(python, wheelsFor('gpu').slice(0, 1), downloads, reporter);
  const wheels = (await readdir(downloads)).filter((name) => name.endsWith('.whl'));
  await unpack(
    python,
    wheels.map((name) => join(downloads, name)),
    building,
  );
  await rm(downloads, { recursive: true });
  await rename(building, target);
}

async function installPython(target: string, reporter: Reporter): Promise<void> {
  reporter.line('Installing TensorFlow’s Python package for the CPU, apart (once, 1.5 GB on disk) …');
  await rm(`${target}.new`, { recursive: true, force: true });
  const options = ['--quiet', '--no-cache-dir', '--disable-pip-version-check', '--target', `${target}.new`];
  const requirement = wheelsFor('cpu')[0]!.requirement;
  await promisify(execFile)((await findPip())!.command, ['-m', 'pip', 'install', ...options, requirement]);
  await rename(`${target}.new`, target);
}

/** The program's own folder for the library: links to the wheel and to the null GPU, and the binding. */
async function linkLibrary(wheel: string, cuda: string): Promise<void> {
  const library = libraryFolder('gpu');
  const nvidia = join(library, 'nvidia', 'null');
  if (!existsSync(library)) await rm(dirname(library), { recursive: true, force: true });
  await mkdir(nvidia, { recursive: true });
  await rm(join(nvidia, 'lib'), { force: true });
  await symlink(cuda, join(nvidia, 'lib'));
  if (existsSync(join(library, BINDING))) return;
  await rm(join(library, 'tensorflow'), { force: true });
  await symlink(join(wheel, 'tensorflow'), join(library, 'tensorflow'));
  await compileBinding((await findCompiler())!.command, library, join(library, BINDING));
}

/** Names what the null GPU's libraries are made of. */
async function stubsStamp(wheel: string): Promise<string> {
  const hash = createHash('sha256').update(wheel);
  const sources = join(import.meta.dirname, 'null-gpu');
  for (const name of (await readdir(sources)).sort()) hash.update(await readFile(join(sources, name)));
  return hash.digest('hex').slice(0, 12);
}

async function removeOlder(folder: string, prefix: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(prefix)) await rm(join(folder, name), { recursive: true });
  }
}
