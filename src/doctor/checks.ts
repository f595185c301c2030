import { mkdtemp, rmdir, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { dataFolder, datasetStatus, definitions } from '../datasets/index.js';
import type { EngineName } from '../engines/engine.js';
import { findGpus } from '../engines/tensorflow/gpu/find.js';
import { cacheFolder } from '../util/cache.js';
import type { Check } from '../util/check.js';
import { diskProblem } from '../util/disk-errors.js';
import { formatBytes } from '../util/format.js';
import { freeMemory, machine } from '../util/machine.js';

export interface CheckSection {
  readonly title: string;
  readonly checks: readonly Check[];
}

/** Disk space below which `doctor` warns: the TensorFlow library and one dataset need about this much. */
const ENOUGH_DISK = 2e9;

/** Looks at everything that a run needs. Leaves nothing behind, fetches nothing. */
export async function machineChecks(options: { data?: string; results: string }): Promise<{
  sections: CheckSection[];
  usableEngines: EngineName[];
}> {
  const [native, [tensorflow, gpu], mpi] = await Promise.all([
    import('../engines/native/checks.js').then((module) => module.checks()),
    import('../engines/tensorflow/checks.js').then(async (module) =>
      Promise.all([module.checks(), module.gpuChecks(await findGpus())]),
    ),
    import('../mpi/checks.js').then((module) => module.checks()),
  ]);
  const folder = dataFolder(options.data);
  return {
    sections: [
      { title: 'Machine', checks: [nodeCheck(), cpuCheck(), memoryCheck()] },
      { title: 'Native engine (CPU)', checks: native },
      { title: 'TensorFlow engine', checks: tensorflow },
      { title: 'GPU (TensorFlow engine)', checks: gpu },
      { title: 'Several processes (MPI)', checks: mpi },
      { title: 'Data', checks: await dataChecks(folder) },
      {
        title: 'Disk',
        checks: [
          await diskCheck('data', folder, 'choose another folder with --data'),
          await diskCheck('results', resolve(options.results), 'choose another folder with --results'),
          await diskCheck('cache', cacheFolder(''), 'set XDG_CACHE_HOME to another folder'),
        ],
      },
    ],
    usableEngines: [
      ...(native.every(({ ok }) => ok) ? (['native'] as const) : []),
      ...(tensorflow.every(({ ok }) => ok) ? (['tensorflow'] as const) : []),
    ],
  };
}

function nodeCheck(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return {
    name: 'Node.js',
    ok: (major === 20 && minor >= 17) || (major === 22 && minor >= 12) || major >= 24,
    found: process.version,
    remedy: 'Install Node.js 20.17, 22.12, 24, or later ones of these.',
  };
}

function cpuCheck(): Check {
  const { cpu, cores } = machine();
  return { name: 'CPU', ok: true, found: `${cpu}, ${cores} cores` };
}

function memoryCheck(): Check {
  const found = `${formatBytes(machine().memoryBytes)}, ${formatBytes(freeMemory())} free`;
  return {
    name: 'memory',
    ok: freeMemory() > 1e9,
    found,
    remedy: 'Close other programs, or use a smaller batch or training.memoryEfficient.',
  };
}

async function dataChecks(folder: string): Promise<Check[]> {
  return Promise.all(
    definitions.map(async ({ name, title, origin }) => {
      const brought = origin === 'brought';
      const { present, folder: where } = await datasetStatus(name, folder);
      return {
        name: title,
        ok: present,
        found: present
          ? where
          : brought
            ? 'not present; you provide its archives'
            : 'not yet downloaded; train does it',
        remedy: `densenet data fetch ${name}${brought ? ' --from DIR' : ''}`,
      };
    }),
  );
}

async function diskCheck(name: string, folder: string, choose: string): Promise<Check> {
  const above = await existing(folder);
  const refused = await refusal(above);
  if (refused !== undefined) {
    const found = `cannot be written: ${folder}: ${refused}`;
    return { name, ok: false, found, remedy: `Give yourself permission, or ${choose}.` };
  }
  const { bavail, bsize } = await statfs(above);
  const free = bavail * bsize;
  return {
    name,
    ok: free > ENOUGH_DISK,
    found: `${formatBytes(free)} free for ${folder}`,
    remedy: `Free some space, or ${choose}.`,
  };
}

/** Why nothing can be made in a folder; undefined if something can: it is tried. */
async function refusal(folder: string): Promise<string | undefined> {
  try {
    await rmdir(await mkdtemp(join(folder, '.densenet-')));
    return undefined;
  } catch (error) {
    return diskProblem(error)?.words ?? String(error);
  }
}

/** The nearest folder above `path` that exists. */
async function existing(path: string): Promise<string> {
  try {
    await statfs(path);
    return path;
  } catch {
    return dirname(path) === path ? path : existing(dirname(path));
  }
}
