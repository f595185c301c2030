import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDER = join(ROOT, 'build', `test-datasets-${process.pid}`);
const COMPILED = join(FOLDER, 'dist');

/** Compiles the `data` command and all below it before the tests of a file, for its child processes to run. */
export function compileForChildren(): void {
  beforeAll(async () => {
    const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const settings = fileURLToPath(new URL('tsconfig.json', import.meta.url));
    await promisify(execFile)(process.execPath, [compiler, '-p', settings, '--outDir', COMPILED]);
  });
  afterAll(() => rm(FOLDER, { recursive: true }));
}

export interface Ended {
  /** Exit code, or the name of the signal. */
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Starts `densenet data …`; `args` begin with the subcommand. */
export function densenetData(args: readonly string[]): Running {
  return run('run-data.mjs', args);
}

/** Starts a process that fetches a dataset of our own definition. `request` is what fetch-child.mjs reads. */
export function fetchInChild(request: object): Running {
  return run('fetch-child.mjs', [JSON.stringify(request)]);
}

function run(script: string, args: readonly string[]): Running {
  const path = join(dirname(fileURLToPath(import.meta.url)), script);
  const child = spawn(process.execPath, [path, COMPILED, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code: code ?? signal, stdout, stderr }));
  });
  return { child, ended };
}

/** All files below a folder, sorted. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  return files.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)).sort();
}
