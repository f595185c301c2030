import { spawn } from 'node:child_process';
import { systemCode } from './errors.js';

/** A command that did not start, or ended badly; `message` says how: `exit code 1`, `ended by SIGSEGV`. */
export class ToolError extends Error {
  constructor(
    message: string,
    /** What it wrote to standard error. */
    readonly said = '',
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ToolError';
  }

  /** The first line of an error, not of a warning, else the last, else how it ended. Compilers explain after it. */
  get firstComplaint(): string {
    const lines = this.#lines();
    return (
      lines.find((line) => /error/i.test(line) && !/\bwarning\b/i.test(line)) ?? lines.at(-1) ?? this.message
    );
  }

  /** The last line it said of an error, else the last it said, else how it ended. Python ends with what is wrong. */
  get lastComplaint(): string {
    const lines = this.#lines();
    return (
      lines.findLast((line) => /^(error: |ERROR: |[\w.]*Error\b)/.test(line)) ?? lines.at(-1) ?? this.message
    );
  }

  #lines(): string[] {
    return this.said.split('\n').flatMap((line) => line.trim() || []);
  }
}

export interface ToolOptions {
  /** What it reads on standard input; nothing by default. */
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Ends the command with `killSignal`. It is waited for: until its end it may still write. */
  readonly signal?: AbortSignal;
  readonly killSignal?: NodeJS.Signals;
}

/** Runs a command to its end and returns what it printed. Throws a ToolError, or the signal's reason. */
export function runTool(
  command: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<string> {
  const { signal, input = '' } = options;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const child = spawn(command, args, { ...options, stdio: 'pipe' });
    // It need not read it.
    child.stdin.on('error', () => {}).end(input);
    let printed = '';
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.on('error', (cause) => {
      if (child.pid !== undefined) return;
      reject(new ToolError(`${command} cannot be started (${systemCode(cause)})`, '', { cause }));
    });
    child.on('close', (code, killer) => {
      if (signal?.aborted) return reject(signal.reason);
      if (code === 0) return resolve(printed);
      reject(new ToolError(killer === null ? `exit code ${code}` : `ended by ${killer}`, said));
    });
  });
}
