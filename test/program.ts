import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { packageRoot } from '../src/util/package.js';
import { decodeSafetensors } from '../src/util/safetensors.js';

export interface Ended {
  /** Exit code, or the name of the signal that ended the process. */
  readonly code: number | NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves with what matches when the output so far (both streams) does. */
  seen(pattern: RegExp): Promise<string>;
}

/** A folder that is gone when the test is done. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'densenet-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts the program as a person would, in a folder of its own. */
export function start(cwd: string, args: readonly string[], env: Record<string, string> = {}): Running {
  return startNode(cwd, [join(packageRoot, 'bin', 'densenet'), ...args], env);
}

/**
 * Starts the program in a terminal: what is written to `process.stdin` is typed there. Python opens the terminal, whose
 * name is the first line.
 */
export function startInTerminal(
  cwd: string,
  args: readonly string[],
  { columns = 80, ...env }: { readonly columns?: number } & Record<string, string | number> = {},
): Running {
  const spawnInTerminal = `import os, pty, sys
code = os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:]))
sys.exit(128 - code if code < 0 else code)`;
  const inSize = ['sh', '-c', `tty && stty cols ${columns} && exec "$@"`, 'sh'];
  const program = [process.execPath, join(packageRoot, 'bin', 'densenet'), ...args];
  return startProcess(cwd, 'python3', ['-c', spawnInTerminal, ...inSize, ...program], {
    CI: '',
    TERM: 'xterm',
    ...(env as Record<string, string>),
  });
}

/** Starts a script of our own with Node. */
export function startNode(cwd: string, args: readonly string[], env: Record<string, string> = {}): Running {
  return startProcess(cwd, process.execPath, args, env);
}

/** Starts any command. */
export function startProcess(
  cwd: string,
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Running {
  const child = spawn(command, args, { cwd, env: { ...process.env, CI: '1', ...env } });
  const output = new EventEmitter();
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
    output.emit('more');
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
    output.emit('more');
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? signal, stdout, stderr }));
  });
  return {
    process: child,
    ended,
    seen: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(stdout + stderr);
          if (!match) return;
          output.off('more', look);
          resolve(match[0]);
        };
        output.on('more', look);
        child.on('close', () => reject(new Error(`ended before ${pattern}:\n${stdout}\n${stderr}`)));
        look();
      }),
  };
}

export function run(cwd: string, args: readonly string[], env?: Record<string, string>): Promise<Ended> {
  return start(cwd, args, env).ended;
}

/** What a finished run must reproduce to the bit: every tensor of its checkpoint, and its epochs but for the time. */
export async function bits(runFolder: string) {
  const path = join(runFolder, 'checkpoint', 'last.safetensors');
  const { tensors } = decodeSafetensors(await readFile(path), path);
  const epochs = (await readFile(join(runFolder, 'epochs.csv'), 'utf8')).trim().split('\n');
  return {
    tensors: [...tensors].map(([name, { data }]) => [name, Buffer.from(data.buffer).toString('base64')]),
    epochs: epochs.map((line) => line.split(',').slice(0, -3).join(',')),
  };
}
