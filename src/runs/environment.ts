import { execFile } from 'node:child_process';
import { cpus, hostname, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { packageRoot, packageVersion } from '../util/package.js';

export interface DatasetUsed {
  readonly name: string;
  readonly digest: string;
  /** That it is not all of the published data. */
  readonly note?: string;
}

/** environment.json: where and with what a run was made. */
export interface Environment {
  readonly started: string;
  readonly densenet: string;
  readonly git: { readonly commit: string; readonly dirty: boolean } | undefined;
  readonly node: string;
  readonly platform: string;
  readonly host: string;
  /** Process on that host: tells a run at work from one that was killed. */
  readonly pid: number;
  readonly cpu: { readonly model: string; readonly cores: number };
  readonly memoryBytes: number;
  readonly engine: { readonly name: string; readonly device: string; readonly description: string };
  readonly commandLine: readonly string[];
  readonly dataset: DatasetUsed;
}

/** The weights that a run began with (`--init`). */
export interface InitialWeights {
  readonly file: string;
  /** Of the file's bytes. */
  readonly sha256: string;
  /** Names of the parameters that had the usual initial values instead (`--init-skip`). */
  readonly skipped: readonly string[];
}

/** environment.json of a run, with what happened to it since. */
export interface RunEnvironment extends Environment {
  readonly init?: InitialWeights;
  /** One entry for each time the run was resumed. */
  readonly resumed: readonly Environment[];
}

export async function captureEnvironment(
  engine: { name: string; device: string; description: string },
  dataset: DatasetUsed,
): Promise<Environment> {
  return {
    started: new Date().toISOString(),
    densenet: packageVersion,
    git: await gitState(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    host: hostname(),
    pid: process.pid,
    cpu: { model: cpus()[0]?.model.trim() ?? 'unknown', cores: cpus().length },
    memoryBytes: totalmem(),
    engine: { name: engine.name, device: engine.device, description: engine.description },
    commandLine: process.argv.slice(2),
    dataset,
  };
}

/**
 * Commit of the program, and whether its files differ from it, but for results/, which every run rewrites;
 * undefined outside a git checkout.
 */
export async function gitState(): Promise<Environment['git']> {
  const git = async (...args: string[]) =>
    (await promisify(execFile)('git', ['-C', packageRoot, ...args])).stdout.trim();
  try {
    const commit = await git('rev-parse', 'HEAD');
    return { commit, dirty: (await git('status', '--porcelain', '--', '.', ':(exclude)results')) !== '' };
  } catch {
    return undefined;
  }
}
